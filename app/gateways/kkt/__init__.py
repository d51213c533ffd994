"""The fiscal device: the wire of ATOL's web server, and a simulated one."""
