"""Wire formats of other people's services, and simulators of them. Know no table and no page."""
