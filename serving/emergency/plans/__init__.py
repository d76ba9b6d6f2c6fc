"""Plans as data, one YAML file per kind of emergency; `plan_book` reads and ranks them."""
