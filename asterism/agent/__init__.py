"""AlphaStar's network: encoders, core, autoregressive heads and value networks."""

from asterism.agent.config import AGENT_SIZES, AgentConfig, agent_config
from asterism.agent.network import make_network

__all__ = ["AGENT_SIZES", "AgentConfig", "agent_config", "make_network"]
