# CUDA and NCCL without a GPU, and what is linked with them in librepartir-gpu.
check_LTLIBRARIES += tests/libfakes.la
tests_libfakes_la_SOURCES = tests/fakes/cuda_runtime_api.h \
	tests/fakes/fake.h tests/fakes/kernels.c tests/fakes/memory.c \
	tests/fakes/nccl.c tests/fakes/nccl.h tests/fakes/streams.c \
	$(GPU_SOURCES) $(NCCL_SOURCES)
tests_libfakes_la_CPPFLAGS = -I$(srcdir)/tests/fakes $(AM_CPPFLAGS) \
	-DRPT_HAVE_NCCL

DEVICE_FIXTURE = tests/collectives/every_type.c \
	tests/collectives/operations.c \
	tests/collectives/operations.h tests/collectives/together.c \
	tests/comm/fixture.c tests/comm/fixture.h tests/device/devices.h \
	tests/device/places.c
DEVICE_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/tests/comm \
	-I$(srcdir)/tests/collectives -I$(srcdir)/tests/fakes

check_PROGRAMS += tests/test_device
tests_test_device_SOURCES = tests/device/test_device.c tests/device/fake.c \
	tests/collectives/ahead.c tests/collectives/ahead.h $(DEVICE_FIXTURE)
tests_test_device_CPPFLAGS = $(DEVICE_CPPFLAGS)
tests_test_device_LDADD = tests/libfakes.la $(TEST_LIBS) -lm

# Alone these are jobs of one rank; the script starts them in every other way.
check_PROGRAMS += tests/test_device_mpi
tests_test_device_mpi_SOURCES = tests/device/test_device_mpi.c \
	tests/device/fake.c $(DEVICE_FIXTURE)
tests_test_device_mpi_CPPFLAGS = $(DEVICE_CPPFLAGS)
tests_test_device_mpi_LDADD = tests/libfakes.la $(TEST_LIBS) -lm

check_PROGRAMS += tests/test_device_faults_mpi
tests_test_device_faults_mpi_SOURCES = tests/device/test_device_faults_mpi.c \
	tests/device/fake.c $(DEVICE_FIXTURE)
tests_test_device_faults_mpi_CPPFLAGS = $(DEVICE_CPPFLAGS)
tests_test_device_faults_mpi_LDADD = tests/libfakes.la $(TEST_LIBS) -lm
TESTS += tests/device/under_mpirun tests/device/without_library
EXTRA_DIST += tests/device/under_mpirun tests/device/without_library

# The same as test_device_mpi, with the GPUs of this machine.
EXTRA_PROGRAMS += tests/test_gpu_mpi
tests_test_gpu_mpi_SOURCES = tests/device/test_device_mpi.c \
	tests/device/real.c $(DEVICE_FIXTURE)
tests_test_gpu_mpi_CPPFLAGS = $(DEVICE_CPPFLAGS)
tests_test_gpu_mpi_LDADD = $(TEST_LIBS) -lm
CLEANFILES += tests/test_gpu_mpi$(EXEEXT)

if HAVE_CUDA
check-gpu: librepartir-gpu.la tests/test_gpu_mpi$(EXEEXT) \
		tests/test_gpu_checkpoint$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) '$(abs_srcdir)/tests/device/on_gpus' || \
	  [ $$? -eq 77 ]
else
check-gpu:
	@echo '  skip: this build has no CUDA (see configure)'
	@echo '== device/on_gpus: 0 passed, 0 failed, 1 skipped'
endif
EXTRA_DIST += tests/device/on_gpus
