"""How well what gold says agrees with what is true of simulated mines, over many seeds."""
