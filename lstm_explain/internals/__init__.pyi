from .attention import attention_maps as attention_maps
from .gates import trace_gates as trace_gates
from .responses import answers_by_step as answers_by_step
from .responses import gradient_norms as gradient_norms
