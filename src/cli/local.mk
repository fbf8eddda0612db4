# nothing to build yet
