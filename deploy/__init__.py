"""How openbell runs: as processes of one machine, as images, on Kubernetes."""
