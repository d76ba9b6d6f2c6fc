"""Does a folder of exchange files keep the specification? Clause by clause, without a lake.

A fault is told once, under the clause nearest to its cause: a file that did not come is a broken period and not also a
gap at each of its points; a value outside its range is not also a jump.
"""

from minefusion.pipelines.conformance.checks import CHECKS
from minefusion.pipelines.conformance.clauses import Clause, Conformance, Example, conformance
from minefusion.pipelines.conformance.feed import Feed, feed_of

__all__ = ["CHECKS", "Clause", "Conformance", "Example", "Feed", "conformance", "feed_of"]
