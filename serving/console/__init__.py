"""The control centre's page: plain HTML, CSS and ES modules that ask this service and nobody else."""
