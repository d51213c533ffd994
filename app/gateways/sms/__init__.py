"""Short messages: the protocol of the gateway SMSC, and a simulator that speaks it."""
