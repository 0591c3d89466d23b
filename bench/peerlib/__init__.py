# SPDX-License-Identifier: Apache-2.0
"""What peers.py and zoo.py share: environment, peers, comparison, tables."""
