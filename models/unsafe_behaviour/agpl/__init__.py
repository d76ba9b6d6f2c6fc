"""What links ultralytics, and the weights it makes: AGPL-3.0, apart from the rest of this project."""
