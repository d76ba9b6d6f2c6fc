"""The service: what the tables and the control room know, over HTTP; and what people do about alarms."""
