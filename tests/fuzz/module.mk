UNIT_SCRIPTS += tests/fuzz/test_fuzz_smoke.sh
