"""Assets by stage: inputs, fits, fleets, outputs."""
