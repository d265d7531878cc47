"""The judge: a causal language model that reads media as soft tokens and answers with a digit."""
