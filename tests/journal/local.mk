# tests of journal
