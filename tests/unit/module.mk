UNIT_SCRIPTS += tests/unit/test_promises.sh
