# `pavise eventlog`: shows a log, judges nothing.
EVENTLOG_SRCS := attest/tpm/eventlog.c attest/tpm/replay.c attest/tpm/event_types.c \
                 attest/tpm/event_meaning.c attest/tpm/event_match.c
EVENTLOG_REPORT_SRCS := attest/eventlog/summary.c attest/eventlog/text.c attest/eventlog/json.c

PROGS += pavise-eventlog
pavise-eventlog_SRCS := attest/eventlog/main.c common/err_report.c \
                        $(EVENTLOG_REPORT_SRCS) $(EVENTLOG_SRCS) \
                        attest/tpm/alg.c common/err.c common/bytes.c common/file.c
pavise-eventlog_LIBS := -ljansson -lcrypto
pavise-eventlog_LINK := $(DYNAMIC)

UNIT_SCRIPTS += tests/unit/eventlog.py

TESTS += test_event_meaning
test_event_meaning_SRCS := tests/unit/test_event_meaning.c $(EVENTLOG_SRCS) attest/tpm/alg.c \
                           common/err.c common/bytes.c
test_event_meaning_LIBS := -lcmocka -lcrypto
