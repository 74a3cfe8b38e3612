UNIT_SCRIPTS += tests/unit/test_promises.sh
UNIT_SCRIPTS += tests/unit/test_includes.sh
