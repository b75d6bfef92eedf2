"""The tools beside each other, one short file a tool.

Each file has a function for each task that the tool can do: it takes the task's arrays by name and
returns the work, a function without arguments that returns numbers by name. What is not the work
(making a tensor of an array, say) is done before.
"""
