"""Special functions: torch.special, as far as d2lcore has it."""

from __future__ import annotations

from d2lcore import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from d2lcore._C import Tensor

    def __getattr__(name: str) -> Callable[..., Tensor]: ...


globals().update({k: v for k, v in vars(_C._special).items() if not k.startswith("_")})

# Names that torch.special has for ops that stand in torch too.
_OTHERS = {
    "digamma": "digamma", "psi": "digamma", "erf": "erf", "erfc": "erfc", "erfinv": "erfinv",
    "exp2": "exp2", "expit": "sigmoid", "expm1": "expm1", "gammaln": "lgamma", "log1p": "log1p",
    "logit": "logit", "logsumexp": "logsumexp", "multigammaln": "mvlgamma", "round": "round",
    "sinc": "sinc", "xlogy": "xlogy",
}  # fmt: skip
globals().update({name: getattr(_C, op) for name, op in _OTHERS.items()})
log_softmax = _C._nn.log_softmax
softmax = _C._nn.softmax
