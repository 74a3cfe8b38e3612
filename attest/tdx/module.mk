# Quotes of Intel TDX guests: their form, their certificates, what the platform says of itself.
TDX_QUOTE_SRCS := attest/tdx/quote.c attest/tdx/p256.c attest/tdx/qe_report.c attest/tdx/chain.c \
                  attest/tdx/roots.c attest/tdx/pck.c attest/tdx/tdreport.c
ATTEST_LIB_SRCS += $(TDX_QUOTE_SRCS)
