"""The ablation table: one judge, many ways to train it, the same data, budget and test items.

Start at `running.run` (recipe and corpus to finished runs) and at `report.write_report` (finished
runs to table and pictures).
"""
