"""示例银行: a whole institution to look at. `seed` makes it, `logins` say how to get in."""
