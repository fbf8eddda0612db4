# tests of topo
