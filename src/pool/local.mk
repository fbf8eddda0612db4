include $(srcdir)/src/pool/exec/local.mk
