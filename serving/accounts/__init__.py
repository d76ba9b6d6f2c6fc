"""Who may come in, and what each may see and do: users, roles, passwords and short tokens."""
