# The examples use what a user has: <repartir.h> and librepartir.
noinst_PROGRAMS += examples/hello_local examples/pool_mpi examples/spmd \
	examples/gang examples/programs examples/allreduce \
	examples/reducer examples/heat2d examples/look
if HAVE_CXX
noinst_PROGRAMS += examples/hello
endif

EXAMPLE_CPPFLAGS = -I$(srcdir)/include
examples_hello_local_SOURCES = examples/hello_local.c
examples_hello_local_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_hello_local_LDADD = librepartir.la
examples_pool_mpi_SOURCES = examples/pool_mpi.c
examples_pool_mpi_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_pool_mpi_LDADD = librepartir.la
examples_spmd_SOURCES = examples/spmd.c
examples_spmd_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_spmd_LDADD = librepartir.la
examples_gang_SOURCES = examples/gang.c
examples_gang_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_gang_LDADD = librepartir.la
examples_programs_SOURCES = examples/programs.c
examples_programs_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_programs_LDADD = librepartir.la
examples_allreduce_SOURCES = examples/allreduce.c
examples_allreduce_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_allreduce_LDADD = librepartir.la
examples_reducer_SOURCES = examples/reducer.c
examples_reducer_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_reducer_LDADD = librepartir.la
examples_heat2d_SOURCES = examples/heat2d.c examples/plate.h \
	examples/png.h
examples_heat2d_CPPFLAGS = -D_GNU_SOURCE $(EXAMPLE_CPPFLAGS)
examples_heat2d_LDADD = librepartir.la
examples_look_SOURCES = examples/look.c
examples_look_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_look_LDADD = librepartir.la
examples_hello_SOURCES = examples/hello.cc
examples_hello_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_hello_CXXFLAGS = -std=c++11 -Wall -Wextra
# g++ knows nothing of the MPI that a static librepartir needs.
examples_hello_LDADD = librepartir.la $(MPI_LIBS)

# Automake's Fortran would have configure look for one more compiler; this one is
# the MPI's.  The .mod files come to where it runs.
if HAVE_MPIFC
noinst_DATA += examples/heat2d_f
endif
examples/heat2d_f.o: examples/heat2d_f.f90 examples/plate.f90 examples/png.f90 \
		bindings/fortran/repartir.f90 bindings/fortran/repartir.f03
	$(AM_V_GEN)$(MKDIR_P) examples && cd examples && \
	$(MPIFC) $(FCFLAGS) -I'$(abs_srcdir)/bindings/fortran' \
	  -I'$(abs_builddir)/bindings/fortran' -c -o heat2d_f.o \
	  '$(abs_srcdir)/examples/heat2d_f.f90'
examples/heat2d_f: examples/heat2d_f.o librepartir.la
	$(AM_V_GEN)$(LIBTOOL) $(AM_V_lt) --tag=CC --mode=link $(MPIFC) \
	  $(FCFLAGS) -o $@ examples/heat2d_f.o librepartir.la
CLEANFILES += examples/heat2d_f examples/heat2d_f.o examples/heat.mod \
	examples/plate.mod examples/png.mod examples/repartir.mod

# Installed with the documentation; `make installcheck` builds these.
exampledir = $(docdir)/examples
dist_example_DATA = examples/hello_local.c examples/pool_mpi.c \
	examples/spmd.c examples/gang.c examples/programs.c \
	examples/allreduce.c examples/reducer.c examples/heat2d.c \
	examples/look.c examples/plate.h examples/png.h examples/heat2d_f.f90 \
	examples/plate.f90 examples/png.f90 examples/hello.cc \
	examples/README.md
exampleslurmdir = $(exampledir)/slurm
dist_exampleslurm_DATA = examples/slurm/heat2d_mpirun.sbatch \
	examples/slurm/heat2d_srun.sbatch examples/slurm/README.md
