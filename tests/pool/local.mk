# tests of pool
