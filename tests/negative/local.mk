# Faults that the tests must find.
TESTS += tests/negative/faults
EXTRA_DIST += tests/negative/faults

# FAULT_DIR/fault: test program FAULT_TEST with FAULT_DIR/fault.c instead of the
# file of the library that it is a copy of; FAULT_LDFLAGS: of that program.
fault-program: librepartir_all.la tests/libharness.la
	@$(COMPILE) $(TEST_CPPFLAGS) -c -o '$(FAULT_DIR)/fault.o' \
	  '$(FAULT_DIR)/fault.c'
	@$(LINK) $(FAULT_LDFLAGS) -o '$(FAULT_DIR)/fault' \
	  tests/*/$(FAULT_TEST)-*.o \
	  '$(FAULT_DIR)/fault.o' $(TEST_LIBS) -lm
