#!/bin/sh
# The firmware images as built: their size, header, segments and instructions. As TAP.
set -u
build=${PAVISE_BUILD:-build}
n=0

# use KIND NUMBER RESET-BYTES: the image that the checks below read.
use() {
    kind=$1 variant=$2 reset=$3
    elf=$build/firmware/pavise-fw-$1.elf
    bin=$build/firmware/pavise-fw-$1.bin
}

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
    [ "$(head -c 8 "$bin")" = PVFW0001 ] && [ "$(u32 8)" -eq "$variant" ] && [ "$(u32 16)" -eq "$size" ] &&
        [ "$(u32 20)" -lt "$size" ] && [ $(($(u32 24) % 4096)) -eq 0 ] && [ "$(u32 24)" -lt "$size" ]
}

version_text() {
    text=$(tail -c "+$(($(u32 32) + 1))" "$bin" | head -c "$(u32 36)" | iconv -f UTF-16LE -t UTF-8 | tr -d '\0')
    echo "version: $text"
    [ "$text" = "pavise firmware $kind 0.1 svn $(u32 12)" ]
}

note_is_free() {
    offset=$(u32 40) size=$(u32 44)
    [ "$size" -ge 256 ] && [ $((offset + size + reset)) -eq "$(stat -c %s "$bin")" ] &&
        [ "$(tail -c "$((size + reset))" "$bin" | head -c "$size" | tr -d '\0' | wc -c)" -eq 0 ]
}

# Pages on the image's own start tables must be accessed and dirty already: an entry the
# processor would still write would change the image, and its hash.
tables_are_settled() {
    od -An -v -tx8 -w8 -j "$(u32 24)" -N 16384 "$bin" | awk '
        { want = NR > 3 * 512 ? "[67ef][13]$" : "[2367abef][13]$" }
        $1 !~ /^0+$/ { seen++; if ($1 !~ want) { print; bad = 1 } }
        END { exit bad || seen < 20 }'
}

no_write_execute() { none ' W E|WE|RWE' readelf -lW "$elf"; }
no_relocations() { readelf -rW "$elf" | grep -q 'There are no relocations' && none 'DYNAMIC|INTERP' readelf -lW "$elf"; }
# Vector registers occur in one function, which only ring 3 has, and are zero when it returns.
no_vector_code() {
    objdump -d --no-show-raw-insn "$elf" | awk '
        /^[0-9a-f]+ <.*>:$/ { name = $2 }
        /%[yz]mm|%st|%mm[0-7]/ || (/%xmm/ && name != "<fw_sha256_blocks_ni>:") { print name, $0; bad = 1 }
        /%xmm/ { seen++ }
        END { exit bad || !seen }'
}
vectors_end_zero() {
    objdump -d --no-show-raw-insn -j .utext --disassemble=fw_sha256_blocks_ni "$elf" | awk '
        /%xmm/ { last[n++] = $0 }
        END {
            for (i = 0; i < 16; i++)
                if (last[n - 16 + i] !~ "pxor +%xmm" i ",%xmm" i "$") { print last[n - 16 + i]; bad = 1 }
            exit bad || n < 32
        }'
}
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


# ---- SEV-SNP and TDX ----

# OFFSET KIND for each instruction of a site in the code, in hexadecimal and as struct fw_site.
sites_in_code() {
    objdump -d --insn-width=16 "$elf" | awk '
        $2 $3 $4 $5 == "f20f01ff" { print $1, 1 }
        $2 $3 $4 $5 == "f30f01fe" { print $1, 2 }
        $2 $3 $4 $5 == "f30f01d9" { print $1, 3 }
        $2 $3 $4 $5 == "660f01cc" { print $1, 5 }
        $2 $3 $4 ~ "^0f01(d9|fe|ff|cc)$" { print $1, "bare" }'
}
# Where their bytes lie in the file, whatever a disassembler makes of them.
sites_in_bytes() {
    LC_ALL=C grep -obUaP '\xf2\x0f\x01\xff|\xf3\x0f\x01[\xfe\xd9]|\x66\x0f\x01\xcc' "$bin" | cut -d: -f1
}
# The same from the image's table; a fold is an RMPADJUST, in a trust domain a TDCALL.
sites_in_table() {
    od -An -v -tu4 -w8 -j "$(u32 52)" -N $(($(u32 56) * 8)) "$bin" | while read -r offset site_kind; do
        case $site_kind in 4) site_kind=2 ;; 6) site_kind=5 ;; esac
        printf '%x: %d\n' $((offset + 0x100000)) "$site_kind"
    done
}
sites_are_listed() {
    code=$(sites_in_code) table=$(sites_in_table)
    printf 'in the code:\n%s\nin the table:\n%s\n' "$code" "$table"
    bytes=$(sites_in_bytes | while read -r at; do printf '%x:\n' $((at + 0x100000)); done)
    [ -n "$code" ] && [ "$code" = "$table" ] && [ "$(printf '%s\n' "$code" | wc -l)" -eq "$(u32 56)" ] &&
        [ "$bytes" = "$(printf '%s\n' "$table" | cut -d ' ' -f 1)" ]
}
# poke FILE OFFSET BYTE...: bytes in hexadecimal, into a copy.
poke() {
    file=$1 offset=$2
    shift 2
    for byte; do printf '%b' "\\0$(printf %03o "0x$byte")"; done |
        dd of="$file" bs=1 seek="$offset" conv=notrunc 2>/dev/null
}
# Offset in the image of a function, and where the ELF file has the image's first byte.
function_at() { echo $((0x$(readelf -sW "$elf" | awk -v name="$1" '$8 == name { print $2; exit }') - 0x100000)); }
elf_skew() { echo $((0x$(readelf -SW "$elf" | sed -n 's/.* \.rodata *PROGBITS *0*100000 *\([0-9a-f]*\) .*/\1/p'))); }
# noticed CHANGE BYTE...: the check above fails for a copy of the image with this change. The bytes are
# one of its own instructions.
noticed() {
    whole_bin=$bin whole_elf=$elf
    work=$(mktemp -d) || return 1
    cp "$bin" "$elf" "$work"
    bin=$work/${bin##*/} elf=$work/${elf##*/}
    entry=$(u32 52) count=$(u32 56) skew=$(elf_skew) main=$(function_at fw_main)
    first=$(u32 "$entry")
    change=$1
    shift
    case $change in
    missing) poke "$bin" 56 "$(printf %02x $((count - 1)))" ;;
    kind) poke "$bin" $((entry + 4)) 07 ;;
    offset) poke "$bin" "$entry" "$(printf %02x $(((first + 4) % 256)))" ;;
    # A listed place with another instruction.
    nops) poke "$bin" "$first" 90 90 90 90 && poke "$elf" $((first + skew)) 90 90 90 90 ;;
    # One more that nobody listed; and once more as another instruction's constant.
    unlisted) poke "$bin" "$main" "$@" && poke "$elf" $((main + skew)) "$@" ;;
    hidden) poke "$bin" "$main" b8 "$@" && poke "$elf" $((main + skew)) b8 "$@" ;;
    esac
    ! sites_are_listed >/dev/null
    status=$?
    bin=$whole_bin elf=$whole_elf
    rm -rf "$work"
    return $status
}
changed_sites_are_seen() {
    sites_are_listed >/dev/null || return 1
    for kind_of_change in missing kind offset nops unlisted hidden; do
        noticed $kind_of_change "$@" || { echo "not noticed: $kind_of_change"; return 1; }
    done
}
sites_stay_in_pages() {
    sites_in_table | while read -r address site_kind; do
        at=$(printf '%d' "0x${address%:}")
        [ $((at % 4096)) -le 4092 ] || { echo "across a page: $address $site_kind"; exit 1; }
    done
}
# one_fold_and_all_kinds FOLD KINDS
one_fold_and_all_kinds() {
    kinds=$(od -An -v -tu4 -w8 -j "$(u32 52)" -N $(($(u32 56) * 8)) "$bin" | awk '{ print $2 }' | sort | uniq -c)
    printf '%s\n' "$kinds"
    [ "$(printf '%s\n' "$kinds" | awk -v fold="$1" '$2 == fold { print $1 }')" = 1 ] &&
        [ "$(printf '%s\n' "$kinds" | wc -l)" -eq "$2" ]
}
# A processor that must not run yet does nothing but halt.
park_loop() {
    at=$(printf '0x%x' $(($(u32 48) + 0x100000)))
    loop=$(objdump -d --no-show-raw-insn --start-address="$at" --stop-address=$((at + 4)) "$elf" |
        awk '/^ / { print $2 }' | tr '\n' ' ')
    echo "at $at: $loop"
    [ "$(u32 48)" -ne 0 ] && [ "$loop" = "cli hlt jmp " ]
}
tables_are_private() {
    od -An -v -tx8 -w8 -j "$(u32 24)" -N 16384 "$bin" | awk '
        $1 !~ /^0+$/ { seen++; if ($1 !~ /^0008/) { print; bad = 1 } }
        END { exit bad || seen < 20 }'
}
# What a hypervisor answers when it is executed: the firmware asks nobody. (MSR accesses are to the
# GHCB, SEV_STATUS and EFER, which are not intercepted.)
asks_nobody() {
    none '\s(cpuid|in|out|ins|outs|rdtsc|rdtscp|rdpmc|invd|wbinvd|monitor|mwait|vmmcall|rdrand|rdseed)(\s|$)' \
        objdump -d --no-show-raw-insn "$elf"
}
ring3_has_no_site() {
    none 'pvalidate|rmpadjust|vmgexit|vmmcall|tdcall|seamcall' objdump -d --no-show-raw-insn -j .utext "$elf"
}
no_site_in_plain() {
    [ "$(u32 48)" -eq 0 ] && [ "$(u32 52)" -eq 0 ] && [ "$(u32 56)" -eq 0 ] && [ -z "$(sites_in_code)" ] &&
        [ -z "$(sites_in_bytes)" ]
}
# What the image itself says holds for the whole of it: nothing shared but what paging.c makes so.
tables_are_below_s_bit() {
    od -An -v -tx8 -w8 -j "$(u32 24)" -N 16384 "$bin" | awk '
        $1 !~ /^0+$/ { seen++; if ($1 !~ /^0000000000/) { print; bad = 1 } }
        END { exit bad || seen < 20 }'
}
# A trust domain gets #VE for what a hypervisor emulates, and for a halt. CPUID is asked for leaves 0
# and 7 alone, which the module answers.
no_virtualization_exception() {
    none '\s(in|out|ins|outs|hlt|invd|wbinvd|monitor|mwait|vmcall|rdmsr|wrmsr|rdpmc|xsetbv)(\s|$)' \
        objdump -d --no-show-raw-insn -j .text -j .utext "$elf" || return 1
    [ "$(objdump -d --no-show-raw-insn "$elf" | grep -cw cpuid)" -eq 2 ]
}
start32() { objdump -d --no-show-raw-insn -M i386 -j .start32 "$elf" | awk '/^ / { $1 = ""; print }'; }
# Other processors: wait, look, wait; they touch the mailbox and registers, and no stack.
mailbox_loop() {
    at=$(printf '0x%x' $(($(u32 48) + 0x100000)))
    loop=$(objdump -d --no-show-raw-insn -M i386 -j .start32 --start-address="$at" "$elf" | awk '/^ / { print $2 }' |
        head -n 5 | tr '\n' ' ')
    echo "at $at: $loop"
    [ "$loop" = "pause cmpw jne cmp jne " ] || return 1
    ! start32 | grep -E 'push|pop|call|ret|wrmsr|esp|cpuid|hlt| in | out '
}
start_of_start32() {
    echo $((0x$(readelf -SW "$elf" | sed -n 's/.* \.start32 *PROGBITS *\([0-9a-f]*\) .*/\1/p')))
}
# 16 bytes before the end: a jump to the first instruction of the 32-bit part.
reset_vector() {
    want=b8$(printf '%08x' "$(start_of_start32)" | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/')ffe0
    got=$(tail -c 16 "$bin" | head -c 7 | od -An -v -tx1 | tr -d ' \n')
    echo "want $want got $got"
    [ "$got" = "$want" ]
}

# What holds for every image.
common_checks() {
    use "$1" "$2" "$3"
    check "$1: image is at most 64 KiB in whole pages" small_enough
    check "$1: header says where things are" header_true
    check "$1: version text names variant and SVN" version_text
    check "$1: note area is at least 256 zero bytes at the end" note_is_free
    check "$1: start page tables have accessed and dirty bits set" tables_are_settled
    check "$1: no segment is writable and executable" no_write_execute
    check "$1: no relocations, no interpreter" no_relocations
    check "$1: SSE in one function of ring 3, no AVX, no x87" no_vector_code
    check "$1: that function clears XMM 0 to 15 last" vectors_end_zero
    check "$1: no instruction that an emulated ring 0 lacks" no_fancy_code
    check "$1: ring-3 part has no privileged instruction" ring3_is_plain
    check "$1: no path, compiler name or time in the image" no_traces
}

echo 1..58
common_checks plain 1 0
check "plain: no site, no park loop" no_site_in_plain
common_checks snp 2 0
check "snp: every PVALIDATE, RMPADJUST and VMGEXIT is listed, and nothing else" sites_are_listed
check "snp: a site too few, too many or of another kind is noticed" changed_sites_are_seen f2 0f 01 ff
check "snp: no site lies across a page" sites_stay_in_pages
check "snp: one fold, and each kind is there" one_fold_and_all_kinds 4 4
check "snp: other processors wait in a park loop" park_loop
check "snp: each entry of the start page tables has the C-bit" tables_are_private
check "snp: no instruction that the host would answer" asks_nobody
check "snp: ring-3 part has no site" ring3_has_no_site
common_checks tdx 3 512
check "tdx: every TDCALL is listed, and nothing else" sites_are_listed
check "tdx: a site too few, too many or of another kind is noticed" changed_sites_are_seen 66 0f 01 cc
check "tdx: no site lies across a page" sites_stay_in_pages
check "tdx: one fold, and each kind is there" one_fold_and_all_kinds 6 2
check "tdx: the image ends with a jump to its 32-bit part" reset_vector
check "tdx: other processors wait at the mailbox, without a stack" mailbox_loop
check "tdx: each entry of the start page tables is private" tables_are_below_s_bit
check "tdx: no instruction that makes a #VE" no_virtualization_exception
check "tdx: ring-3 part has no site" ring3_has_no_site
check "DSDT names UART, PCI root and power button" has_all plain PNP0501 PNP0A08 PNP0C0C 0xC0000000 _S5
check "DSDT with TPM names it" has_all tpm MSFT0101 0xFED40000 PNP0501 PNP0A08
check "DSDT without TPM does not" no_tpm_in_plain
check "DSDT holds no code and no operation region" nothing_runs
[ "$n" -eq 58 ]
