"""Returns, losses, pseudo-rewards and updates; the network comes in as functions. Modules are imported one by one."""
