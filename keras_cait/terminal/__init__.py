"""Lines on a terminal: of loading, of steps, and those of C++ libraries, captured."""
