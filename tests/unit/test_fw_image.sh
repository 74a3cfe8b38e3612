#!/bin/sh
# The firmware image as built: its size, header, segments and instructions. As TAP.
set -u
build=${PAVISE_BUILD:-build}
elf=$build/firmware/pavise-fw-plain.elf
bin=$build/firmware/pavise-fw-plain.bin
n=0

# check NAME COMMAND...: one test; the command's output explains a failure.
check() {
    n=$((n + 1))
    name=$1
    shift
    if out=$("$@" 2>&1); then
        echo "ok $n - $name"
    else
        printf '%s\n' "$out" | head -n 20 | sed 's/^/# /'
        echo "not ok $n - $name"
    fi
}

u32() { od -An -v -tu4 -j "$1" -N 4 "$bin" | tr -d ' '; }

# none PATTERN INPUT-COMMAND...: no line of the output matches, and there is output.
none() {
    pattern=$1
    shift
    lines=$("$@") || return 1
    [ -n "$lines" ] || { echo "no output: $*"; return 1; }
    ! printf '%s\n' "$lines" | grep -E "$pattern"
}

small_enough() {
    size=$(stat -c %s "$bin")
    echo "size $size"
    [ "$size" -le 65536 ] && [ $((size % 4096)) -eq 0 ]
}

header_true() {
    size=$(stat -c %s "$bin")
    [ "$(head -c 8 "$bin")" = PVFW0001 ] && [ "$(u32 8)" -eq 1 ] && [ "$(u32 16)" -eq "$size" ] &&
        [ "$(u32 20)" -lt "$size" ] && [ $(($(u32 24) % 4096)) -eq 0 ] && [ "$(u32 24)" -lt "$size" ]
}

version_text() {
    text=$(tail -c "+$(($(u32 32) + 1))" "$bin" | head -c "$(u32 36)" | iconv -f UTF-16LE -t UTF-8 | tr -d '\0')
    echo "version: $text"
    [ "$text" = "pavise firmware plain 0.1 svn $(u32 12)" ]
}

note_is_free() {
    offset=$(u32 40) size=$(u32 44)
    [ "$size" -ge 256 ] && [ $((offset + size)) -eq "$(stat -c %s "$bin")" ] &&
        [ "$(tail -c "$size" "$bin" | tr -d '\0' | wc -c)" -eq 0 ]
}

# Pages on the image's own start tables must be accessed and dirty already: an entry the
# processor would still write would change the image, and its hash.
tables_are_settled() {
    od -An -v -tx8 -w8 -j "$(u32 24)" -N 16384 "$bin" | awk '
        { entry = substr($1, 14); leaf = NR > 3 * 512
          if ($1 !~ /^0+$/) { seen++; if (entry !~ (leaf ? /[67ef][13]$/ : /[2367abef][13]$/)) { print; bad = 1 } } }
        END { exit bad || seen < 20 }'
}

no_write_execute() { none ' W E|WE|RWE' readelf -lW "$elf"; }
no_relocations() { readelf -rW "$elf" | grep -q 'There are no relocations' && none 'DYNAMIC|INTERP' readelf -lW "$elf"; }
no_vector_code() { none '%[xyz]mm|%st|%mm[0-7]' objdump -d --no-show-raw-insn "$elf"; }
# What the software KVM cannot emulate in ring 0, or what would need CPUID to be believed.
no_fancy_code() { none '\s(int|int3|vmcall|vmmcall|popcnt|movbe|[lt]zcnt|andn|bextr|rdtscp|xgetbv|stac|clac|endbr64)(\s|$)' objdump -d --no-show-raw-insn "$elf"; }
ring3_is_plain() {
    none '\s(in|out|ins|outs|hlt|cli|sti|lgdt|lidt|ltr|wrmsr|rdmsr|invlpg|iretq|lretq|syscall|sysret|mov +%cr.|mov .*%cr.)(\s|$)' \
        objdump -d --no-show-raw-insn -j .utext "$elf"
}
no_traces() { none '/[a-z]+|\.[chS]$|GCC|[0-9]{2}:[0-9]{2}:[0-9]{2}' strings -n 5 "$bin"; }

# The DSDT, read back by iasl's own disassembler.
disassemble() {
    work=$(mktemp -d) || return 1
    cp "$build/gen/firmware/dsdt-$1.aml" "$work/d.aml" && (cd "$work" && iasl -d d.aml >log 2>&1) &&
        cat "$work/d.dsl"
    status=$?
    rm -rf "$work"
    return $status
}
has_all() {
    text=$(disassemble "$1") || return 1
    shift
    for word; do
        printf '%s\n' "$text" | grep -qF "$word" || { echo "missing: $word"; return 1; }
    done
}
no_tpm_in_plain() { none 'MSFT0101|0xFED40000' disassemble plain; }
nothing_runs() { none 'Method|OperationRegion|External' disassemble tpm; }

echo 1..15
check "image is at most 64 KiB in whole pages" small_enough
check "header says where things are" header_true
check "version text names variant and SVN" version_text
check "note area is at least 256 zero bytes at the end" note_is_free
check "start page tables have accessed and dirty bits set" tables_are_settled
check "no segment is writable and executable" no_write_execute
check "no relocations, no interpreter" no_relocations
check "no SSE, AVX or x87 instruction" no_vector_code
check "no instruction that an emulated ring 0 lacks" no_fancy_code
check "ring-3 part has no privileged instruction" ring3_is_plain
check "no path, compiler name or time in the image" no_traces
check "DSDT names UART, PCI root and power button" has_all plain PNP0501 PNP0A08 PNP0C0C 0xC0000000 _S5
check "DSDT with TPM names it" has_all tpm MSFT0101 0xFED40000 PNP0501 PNP0A08
check "DSDT without TPM does not" no_tpm_in_plain
check "DSDT holds no code and no operation region" nothing_runs
[ "$n" -eq 15 ]
