"""Silver and gold as exchange files again, for the regulator: frames in, records of a file kind out."""
