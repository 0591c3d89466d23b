tenon list ops | grep -x -e Conv -e MatMul -e TreeEnsembleClassifier | sort
