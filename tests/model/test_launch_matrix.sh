#!/bin/sh
# budget: 900
# The launch matrix (launch_matrix.c) as TAP: a test for each configuration, each control, the sum. Then
# the judge is judged: predictions are made wrong on their way, which must not go unnoticed.
set -u
build=${PAVISE_BUILD:-build}

out=$("$build/tests/launch-matrix" 2>&1)
status=$?
last=$(printf '%s\n' "$out" | tail -n 1)
reason=${last#launch-matrix: cannot run here: }
if [ $status = 5 ] && [ "$reason" != "$last" ]; then
    echo "1..0 # SKIP $reason"
    exit 0
fi

# A `pavise` whose launch digest of two processors, and whose RTMR 1 of two, have another first digit
# than the true ones.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/pavise" <<END
#!/bin/sh
truth=\$("$build/bin/pavise" "\$@") || exit
case " \$* " in
*" --cpus 2 "*)
    printf '%s\n' "\$truth" | sed '/"measurement"\|"rtmr1"/{ s/: "0/: "f/; t; s/: "./: "0/ }' ;;
*) printf '%s\n' "\$truth" ;;
esac
END
chmod +x "$folder/pavise"
planted=$("$build/tests/launch-matrix" --pavise "$folder/pavise" --first 2 2>&1)
planted_status=$?

printf '%s\n' "$out" | awk -v status="$status" -v planted="$planted" -v planted_status="$planted_status" '
function verdict(good, name) { print (good ? "ok " : "not ok ") ++n " - " name }
/^ ?[0-9]+: /     { verdict($0 ~ /: equal$/, $0); configs++; tdx += $2 == "TDX"; next }
/^control: /      { verdict($0 ~ /, as it must( be)?$/, $0); controls++; next }
/^launch-matrix: / { last = $0; next }
                  { print "# " $0 }
END {
    want = "launch-matrix: " configs " of " configs " predicted = launched"
    verdict(status == 0 && configs >= 40 && tdx >= 20 && controls >= 20 && last == want, last)
    split(planted, line, "\n")
    for (i = 1; i in line; i++) {
        if (line[i] ~ /^ 2: SEV-SNP cpus 2,.*: DIFFERENT \(launch digest\)$/) named++
        if (line[i] ~ /^ 4: TDX cpus 2,.*: DIFFERENT \(RTMR 1\)$/) named++
        if (line[i] ~ /^ [13]: .*: equal$/) others++
        if (line[i] != "") said = line[i]
    }
    verdict(named == 2 && others == 2, "planted wrong predictions are named, their neighbours are equal")
    verdict(planted_status == 1 && said == "launch-matrix: 2 of 4 predicted = launched",
            "and fail the matrix with status " planted_status ": " said)
    print "1.." n
}'
