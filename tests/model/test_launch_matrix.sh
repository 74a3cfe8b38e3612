#!/bin/sh
# budget: 400
# The launch matrix (launch_matrix.c) as TAP: a test for each configuration, each control, the sum. Then
# the judge is judged: one prediction in three is made wrong on its way, which must not go unnoticed.
set -u
build=${PAVISE_BUILD:-build}

out=$("$build/tests/launch-matrix" 2>&1)
status=$?
last=$(printf '%s\n' "$out" | tail -n 1)
reason=${last#launch: cannot run here: }
if [ $status = 5 ] && [ "$reason" != "$last" ]; then
    echo "1..0 # SKIP $reason"
    exit 0
fi

# A `pavise` whose measurement of two processors has another first digit than the true one.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/pavise" <<EOF
#!/bin/sh
truth=\$("$build/bin/pavise" "\$@") || exit
case " \$* " in
*" --cpus 2 "*) printf '%s\n' "\$truth" | sed '/"measurement"/{ s/: "0/: "f/; t; s/: "./: "0/ }' ;;
*) printf '%s\n' "\$truth" ;;
esac
EOF
chmod +x "$folder/pavise"
planted=$("$build/tests/launch-matrix" --pavise "$folder/pavise" --first 3 2>&1)
planted_status=$?

printf '%s\n' "$out" | awk -v status="$status" -v planted="$planted" -v planted_status="$planted_status" '
function verdict(good, name) { print (good ? "ok " : "not ok ") ++n " - " name }
/^ ?[0-9]+: /  { verdict($0 ~ /: equal$/, $0); configs++; next }
/^control: /   { verdict($0 ~ /, as it must( be)?$/, $0); controls++; next }
/^launch: /    { last = $0; next }
               { print "# " $0 }
END {
    want = "launch: " configs " configurations, " configs " predicted = launched"
    verdict(status == 0 && configs >= 12 && controls == 2 && last == want, last)
    split(planted, line, "\n")
    for (i = 1; i in line; i++) {
        if (line[i] ~ /^ 2: cpus 2,.*: DIFFERENT \(launch digest\)$/) named++
        if (line[i] ~ /^ [13]: .*: equal$/) others++
        if (line[i] != "") said = line[i]
    }
    verdict(named == 1 && others == 2, "a planted wrong prediction is named, its neighbours are equal")
    verdict(planted_status == 1 && said == "launch: 3 configurations, 2 predicted = launched",
            "and fails the matrix with status " planted_status ": " said)
    print "1.." n
}'
