"""The errors a person can cause or meet, each one line with a way out."""


class MinefusionError(Exception):
    """What was expected, what came, where, and what to do: one line. `exit_code` is the command's."""

    exit_code = 2


class InputError(MinefusionError):
    """Wrong use or wrong input."""


class MissingError(MinefusionError):
    """An outer thing is missing: Java, a jar, a GPU, the network."""

    exit_code = 3


class NotInOrderError(MinefusionError):
    """The command ran, and its answer is "not in order"."""

    exit_code = 1
