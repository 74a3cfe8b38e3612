# Programs that only tests and the demonstration use: never installed.
TOOLS += plan-flip
plan-flip_SRCS := tests/tools/plan_flip.c $(COMMON_SRCS)

TOOLS += neighbour
neighbour_SRCS := tests/tools/neighbour.c common/err_report.c $(CONTROL_CLIENT_SRCS)
neighbour_LINK := $(STATIC)

TOOLS += https-post
https-post_SRCS := tests/tools/https_post.c
https-post_LIBS := -lssl -lcrypto
