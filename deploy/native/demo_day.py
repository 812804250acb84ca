"""The day and the seed of the demo market.

Ten seconds before the bell of a day on which the votes of the rules agree, in the real bars of TSLA
and NVDA and in the made-up ones of this seed, so that the demo shows a simulated order.
"""

DEMO_START = "2023-06-05T09:29:50-04:00"
DEMO_SEED = "4"
