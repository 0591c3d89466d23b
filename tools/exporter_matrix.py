#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Export small models of many families and compare Tenon with ONNX Runtime.

usage: exporter_matrix.py TENON [--only TEXT] [--family NAME,...] [--keep DIR]

Needs, in an environment of its own, onnx, onnxruntime, numpy and whichever of
scikit-learn with skl2onnx, onnxmltools with lightgbm and xgboost, torch with
onnxscript are there; a family whose packages are missing is left out and said
so. Every model is exported, run in ONNX Runtime without optimisation on seeded
inputs, and given to `tenon verify --rtol 1e-3 --atol 1e-4`. A model that the
exporter or ONNX Runtime refuses is counted apart, and so is one whose answer
ONNX Runtime's optimiser or onnx's reference evaluator does not meet either. Ends with a table; the exit
code is 1 when Tenon differs or refuses. Run by hand, not in CI.
"""
import argparse
import collections
import os
import shutil
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
from onnx import numpy_helper

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

FAMILIES = {}


def family(name):
    """Registers a generator of (name, make), make() -> (model, feeds)."""
    def add(fn):
        FAMILIES[name] = fn
        return fn
    return add


# --- running and storing -----------------------------------------------------

def message_of(value):
    """A value of ONNX Runtime as a TensorProto or SequenceProto."""
    if isinstance(value, dict):
        raise TypeError("a bare map")
    if not isinstance(value, list):
        value = np.asarray(value)
        if value.dtype.kind in "US":
            value = value.astype(object)
        return numpy_helper.from_array(value)
    seq = onnx.SequenceProto()
    if value and isinstance(value[0], dict):
        seq.elem_type = onnx.SequenceProto.MAP
        for row in value:
            m = seq.map_values.add()
            keys = list(row)
            if isinstance(keys[0], str):
                m.key_type = onnx.TensorProto.STRING
                m.string_keys.extend(k.encode() for k in keys)
            else:
                m.key_type = onnx.TensorProto.INT64
                m.keys.extend(int(k) for k in keys)
            m.values.elem_type = onnx.SequenceProto.TENSOR
            for k in keys:
                m.values.tensor_values.append(
                    numpy_helper.from_array(np.array(row[k], np.float32)))
        return seq
    seq.elem_type = onnx.SequenceProto.TENSOR
    for item in value:
        seq.tensor_values.append(numpy_helper.from_array(np.asarray(item)))
    return seq


def run_reference(path, feeds, optimise=False):
    import onnxruntime as ort
    opts = ort.SessionOptions()
    opts.log_severity_level = 4
    opts.intra_op_num_threads = 1
    # Exact uint8 x int8 sums also where the CPU has no VNNI.
    opts.add_session_config_entry("session.x64quantprecision", "1")
    if not optimise:
        opts.graph_optimization_level = \
            ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(path, opts,
                                   providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    if not isinstance(feeds, dict):
        feeds = dict(zip(names, feeds))
    feeds = {n: feeds[n] for n in names}
    return names, feeds, session.run(None, feeds)


def store(folder, feeds, names, outputs):
    case = os.path.join(folder, "test_data_set_0")
    os.makedirs(case, exist_ok=True)
    for i, n in enumerate(names):
        with open(os.path.join(case, f"input_{i}.pb"), "wb") as f:
            f.write(message_of(feeds[n]).SerializeToString())
    for i, value in enumerate(outputs):
        with open(os.path.join(case, f"output_{i}.pb"), "wb") as f:
            f.write(message_of(value).SerializeToString())


def verify(tenon, folder):
    r = subprocess.run(
        [tenon, "verify", os.path.join(folder, "model.onnx"), folder,
         "--rtol", "1e-3", "--atol", "1e-4"],
        capture_output=True, text=True, timeout=300)
    if r.returncode == 0:
        return "ok", ""
    lines = [x for x in (r.stdout + r.stderr).splitlines()
             if "FAIL" in x or x.startswith("tenon:")]
    kind = "differs" if r.returncode == 1 else "refused"
    if r.returncode < 0 or r.returncode > 3:
        kind = "crashed"
    return kind, "; ".join(x.strip() for x in lines)[:600]


def apart(a, b):
    """Whether two answers of ONNX Runtime are apart beyond the tolerance."""
    for x, y in zip(a, b):
        if isinstance(x, list) or np.asarray(x).dtype.kind not in "fiub":
            continue
        x, y = np.asarray(x), np.asarray(y)
        if x.shape != y.shape:
            return True
        if not np.allclose(x.astype(np.float64), y.astype(np.float64),
                           rtol=1e-3, atol=1e-4, equal_nan=True):
            return True
    return False


def one(tenon, folder, make):
    try:
        model, feeds = make()
    except Exception as e:  # whatever an exporter throws
        return "not exported", f"{type(e).__name__}: {e}"[:300]
    path = os.path.join(folder, "model.onnx")
    os.makedirs(folder, exist_ok=True)
    if isinstance(model, str):
        shutil.copy(model, path)
    else:
        with open(path, "wb") as f:
            f.write(model if isinstance(model, bytes)
                    else model.SerializeToString())
    try:
        names, feeds, outputs = run_reference(path, feeds)
        store(folder, feeds, names, outputs)
    except Exception as e:
        return "no reference", f"{type(e).__name__}: {e}"[:300]
    kind, why = verify(tenon, folder)
    if kind == "differs" and meets_optimised(tenon, folder, feeds, names):
        return "ok optimised", why
    if kind == "differs" and unstable(path, feeds, outputs):
        kind = "unstable"
    return kind, why


def meets_optimised(tenon, folder, feeds, names):
    """Whether Tenon meets ONNX Runtime's optimised answer instead: without
    VNNI only that has exact uint8 x int8 sums."""
    try:
        outputs = run_reference(os.path.join(folder, "model.onnx"), feeds,
                                True)[2]
    except Exception:
        return False
    with tempfile.TemporaryDirectory() as tmp:
        shutil.copy(os.path.join(folder, "model.onnx"), tmp)
        store(tmp, feeds, names, outputs)
        return verify(tenon, tmp)[0] == "ok"


def unstable(path, feeds, outputs):
    """Whether ONNX Runtime's own optimiser, or onnx's reference evaluator in
    the same precision, is as far from its answer: the model cancels digits."""
    try:
        if apart(outputs, run_reference(path, feeds, True)[2]):
            return True
    except Exception:
        pass
    try:
        from onnx.reference import ReferenceEvaluator
        return apart(outputs, ReferenceEvaluator(path).run(None, feeds))
    except Exception:
        return False


# --- data ----------------------------------------------------------------------

ROWS, COLUMNS = 120, 5


def table(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, COLUMNS)) * 2 + 3
    x[:, 3] = rng.integers(0, 6, ROWS)
    x = np.abs(x).round(3)
    score = x[:, 0] - 0.7 * x[:, 1] + 0.3 * x[:, 2] * (x[:, 3] > 2)
    classes = np.digitize(score, np.quantile(score, [0.33, 0.66]))
    return x, score, classes


# --- scikit-learn ----------------------------------------------------------------

def skl_targets():
    x, score, classes = table()
    names = np.array(["red", "green", "blue"])
    return {
        "binary": (classes > 0).astype(np.int64),
        "three": classes.astype(np.int64),
        "text": names[classes],
        "real": score,
        "positive": np.abs(score) + 0.1,
        "two_real": np.stack([score, score ** 2], 1),
    }


def skl_convert(model, x, dtype, options=None, opset=None):
    from skl2onnx import to_onnx
    from skl2onnx.common import data_types as dt
    kind = {"float": dt.FloatTensorType, "double": dt.DoubleTensorType,
            "int": dt.Int64TensorType}[dtype]
    cast = {"float": np.float32, "double": np.float64, "int": np.int64}[dtype]
    onx = to_onnx(model, initial_types=[("X", kind([None, x.shape[1]]))],
                  options=options, target_opset=opset)
    return onx, [x[:40].astype(cast)]


def skl_special():
    """Estimators that need arguments: name -> list of (tag, factory)."""
    from sklearn import (calibration, cluster, compose, decomposition,
                         discriminant_analysis, ensemble, feature_selection,
                         gaussian_process, impute, linear_model, mixture,
                         multiclass, multioutput, naive_bayes, neighbors,
                         neural_network, pipeline, preprocessing,
                         random_projection, svm, tree)
    from sklearn.gaussian_process import kernels as k
    lm, lr = linear_model, linear_model.LogisticRegression
    dtc, dtr = tree.DecisionTreeClassifier, tree.DecisionTreeRegressor
    few = dict(n_estimators=7, random_state=0)
    clf = {
        "LogisticRegression_ovr": multiclass.OneVsRestClassifier(lr()),
        "OneVsOne": multiclass.OneVsOneClassifier(lr()),
        "OutputCode": multiclass.OutputCodeClassifier(lr(), random_state=0),
        "Bagging": ensemble.BaggingClassifier(dtc(max_depth=3), **few),
        "Bagging_lr": ensemble.BaggingClassifier(lr(), **few),
        "Bagging_features": ensemble.BaggingClassifier(
            dtc(max_depth=3), max_features=0.6, **few),
        "AdaBoost": ensemble.AdaBoostClassifier(dtc(max_depth=2), **few),
        "RandomForest": ensemble.RandomForestClassifier(max_depth=5, **few),
        "ExtraTrees": ensemble.ExtraTreesClassifier(max_depth=5, **few),
        "GradientBoosting": ensemble.GradientBoostingClassifier(**few),
        "GradientBoosting_init": ensemble.GradientBoostingClassifier(
            init="zero", **few),
        "HistGradientBoosting": ensemble.HistGradientBoostingClassifier(
            max_iter=8, random_state=0),
        "HistGradientBoosting_cat": ensemble.HistGradientBoostingClassifier(
            max_iter=8, random_state=0, categorical_features=[3]),
        "Voting_soft": ensemble.VotingClassifier(
            [("a", lr()), ("b", dtc(max_depth=3))], voting="soft"),
        "Voting_hard": ensemble.VotingClassifier(
            [("a", lr()), ("b", dtc(max_depth=3)),
             ("c", naive_bayes.GaussianNB())]),
        "Stacking": ensemble.StackingClassifier(
            [("a", lr()), ("b", dtc(max_depth=3))], cv=3),
        "Calibrated_sigmoid": calibration.CalibratedClassifierCV(
            svm.LinearSVC(), cv=3),
        "Calibrated_isotonic": calibration.CalibratedClassifierCV(
            dtc(max_depth=3), cv=3, method="isotonic"),
        "Calibrated_rf": calibration.CalibratedClassifierCV(
            ensemble.RandomForestClassifier(max_depth=3, **few), cv=2),
        "KNN": neighbors.KNeighborsClassifier(4),
        "KNN_distance": neighbors.KNeighborsClassifier(4, weights="distance"),
        "KNN_manhattan": neighbors.KNeighborsClassifier(3, p=1),
        "KNN_cosine": neighbors.KNeighborsClassifier(
            3, metric="cosine", algorithm="brute"),
        "RadiusNeighbors": neighbors.RadiusNeighborsClassifier(4.0),
        "NCA_KNN": pipeline.make_pipeline(
            neighbors.NeighborhoodComponentsAnalysis(2, random_state=0),
            neighbors.KNeighborsClassifier(3)),
        "SVC_rbf": svm.SVC(),
        "SVC_rbf_proba": svm.SVC(probability=True, random_state=0),
        "SVC_poly": svm.SVC(kernel="poly", degree=2, coef0=1.0),
        "SVC_linear_ovo": svm.SVC(kernel="linear",
                                  decision_function_shape="ovo"),
        "SVC_sigmoid": svm.SVC(kernel="sigmoid"),
        "NuSVC": svm.NuSVC(nu=0.2),
        "GaussianProcess": gaussian_process.GaussianProcessClassifier(
            k.RBF(), optimizer=None),
        "MLP": neural_network.MLPClassifier((8, 6), max_iter=60,
                                            random_state=0),
        "MLP_logistic": neural_network.MLPClassifier(
            (8,), activation="logistic", max_iter=60, random_state=0),
        "SGD_log": lm.SGDClassifier(loss="log_loss", random_state=0),
        "SGD_huber": lm.SGDClassifier(loss="modified_huber", random_state=0),
        "SGD_hinge": lm.SGDClassifier(random_state=0),
        "QDA": discriminant_analysis.QuadraticDiscriminantAnalysis(),
        "LDA": discriminant_analysis.LinearDiscriminantAnalysis(),
        "ComplementNB": naive_bayes.ComplementNB(),
        "BernoulliNB_bin": naive_bayes.BernoulliNB(binarize=3.0),
        "CategoricalNB": pipeline.make_pipeline(
            preprocessing.KBinsDiscretizer(4, encode="ordinal"),
            naive_bayes.CategoricalNB(min_categories=6)),
        "MultiOutput": multioutput.MultiOutputClassifier(lr()),
        "TreePath": dtc(max_depth=4),
        "Pipeline_scaled_svc": pipeline.make_pipeline(
            preprocessing.StandardScaler(), svm.SVC(probability=True,
                                                    random_state=0)),
        "Pipeline_pca_lr": pipeline.make_pipeline(
            preprocessing.MinMaxScaler(), decomposition.PCA(3), lr()),
        "Pipeline_poly_lr": pipeline.make_pipeline(
            preprocessing.PolynomialFeatures(2, include_bias=False),
            preprocessing.StandardScaler(), lr(max_iter=300)),
        "FeatureUnion_lr": pipeline.make_pipeline(
            pipeline.make_union(preprocessing.StandardScaler(),
                                decomposition.PCA(2)), lr()),
        "Columns_rf": pipeline.make_pipeline(
            compose.ColumnTransformer(
                [("n", preprocessing.StandardScaler(), [0, 1]),
                 ("o", preprocessing.OneHotEncoder(handle_unknown="ignore"),
                  [3])], remainder="passthrough"),
            ensemble.RandomForestClassifier(max_depth=4, **few)),
        "SelectKBest_lr": pipeline.make_pipeline(
            feature_selection.SelectKBest(k=3), lr()),
    }
    reg = {
        "Bagging": ensemble.BaggingRegressor(dtr(max_depth=3), **few),
        "AdaBoost": ensemble.AdaBoostRegressor(dtr(max_depth=3), **few),
        "RandomForest": ensemble.RandomForestRegressor(max_depth=5, **few),
        "ExtraTrees": ensemble.ExtraTreesRegressor(max_depth=5, **few),
        "GradientBoosting": ensemble.GradientBoostingRegressor(**few),
        "GradientBoosting_huber": ensemble.GradientBoostingRegressor(
            loss="huber", **few),
        "HistGradientBoosting": ensemble.HistGradientBoostingRegressor(
            max_iter=8, random_state=0),
        "HistGradientBoosting_poisson":
            ensemble.HistGradientBoostingRegressor(
                loss="poisson", max_iter=8, random_state=0),
        "Voting": ensemble.VotingRegressor(
            [("a", lm.LinearRegression()), ("b", dtr(max_depth=3))]),
        "Stacking": ensemble.StackingRegressor(
            [("a", lm.LinearRegression()), ("b", dtr(max_depth=3))], cv=3),
        "Stacking_pass": ensemble.StackingRegressor(
            [("a", lm.Ridge()), ("b", neighbors.KNeighborsRegressor(3))],
            cv=3, passthrough=True),
        "KNN": neighbors.KNeighborsRegressor(4),
        "KNN_distance": neighbors.KNeighborsRegressor(4, weights="distance"),
        "RadiusNeighbors": neighbors.RadiusNeighborsRegressor(4.0),
        "GP_rbf": gaussian_process.GaussianProcessRegressor(
            k.RBF(2.0), alpha=1e-2, optimizer=None),
        "GP_matern": gaussian_process.GaussianProcessRegressor(
            k.Matern(2.0, nu=1.5), alpha=1e-2, optimizer=None),
        "GP_sum": gaussian_process.GaussianProcessRegressor(
            k.ConstantKernel(2.0) * k.RBF(1.5) + k.WhiteKernel(0.1),
            alpha=1e-2, optimizer=None),
        "GP_dot": gaussian_process.GaussianProcessRegressor(
            k.DotProduct(1.0), alpha=1e-1, optimizer=None),
        "GP_quadratic": gaussian_process.GaussianProcessRegressor(
            k.RationalQuadratic(1.0, 1.0), alpha=1e-2, optimizer=None),
        "GP_sine": gaussian_process.GaussianProcessRegressor(
            k.ExpSineSquared(1.0, 2.0), alpha=1e-1, optimizer=None),
        "MLP": neural_network.MLPRegressor((8, 6), max_iter=60,
                                           random_state=0),
        "MLP_tanh": neural_network.MLPRegressor(
            (8,), activation="tanh", max_iter=60, random_state=0),
        "SVR_rbf": svm.SVR(), "SVR_linear": svm.SVR(kernel="linear"),
        "SVR_poly": svm.SVR(kernel="poly", degree=2),
        "NuSVR": svm.NuSVR(),
        "Tweedie_log": lm.TweedieRegressor(power=1.5, alpha=0.1),
        "RANSAC": lm.RANSACRegressor(random_state=0),
        "Quantile": lm.QuantileRegressor(alpha=0.01),
        "Transformed": compose.TransformedTargetRegressor(
            lm.LinearRegression(), func=np.log1p, inverse_func=np.expm1),
        "TransformedScaler": compose.TransformedTargetRegressor(
            lm.LinearRegression(),
            transformer=preprocessing.StandardScaler()),
        "Pipeline_imputed": pipeline.make_pipeline(
            impute.SimpleImputer(), preprocessing.RobustScaler(), lm.Lasso()),
        "Chain": multioutput.RegressorChain(lm.LinearRegression()),
        "MultiOutput": multioutput.MultiOutputRegressor(dtr(max_depth=3)),
    }
    trans = {
        "KBins_onehot": preprocessing.KBinsDiscretizer(
            4, encode="onehot-dense"),
        "KBins_ordinal": preprocessing.KBinsDiscretizer(4, encode="ordinal"),
        "OneHot": preprocessing.OneHotEncoder(
            sparse_output=False, handle_unknown="ignore"),
        "OneHot_drop": preprocessing.OneHotEncoder(
            sparse_output=False, drop="first"),
        "Ordinal": preprocessing.OrdinalEncoder(),
        "TargetEncoder": preprocessing.TargetEncoder(),
        "Poly3": preprocessing.PolynomialFeatures(3),
        "Poly_inter": preprocessing.PolynomialFeatures(
            3, interaction_only=True),
        "Normalizer_l1": preprocessing.Normalizer("l1"),
        "Normalizer_l2": preprocessing.Normalizer("l2"),
        "Normalizer_max": preprocessing.Normalizer("max"),
        "Power_yeo": preprocessing.PowerTransformer(),
        "Power_box": preprocessing.PowerTransformer(
            "box-cox", standardize=False),
        "Quantile": preprocessing.QuantileTransformer(n_quantiles=20),
        "Quantile_normal": preprocessing.QuantileTransformer(
            n_quantiles=20, output_distribution="normal"),
        "Spline": preprocessing.SplineTransformer(4),
        "MinMax_clip": preprocessing.MinMaxScaler((-1, 1), clip=True),
        "Function": preprocessing.FunctionTransformer(),
        "PCA_whiten": decomposition.PCA(3, whiten=True),
        "KernelPCA_rbf": decomposition.KernelPCA(3, kernel="rbf"),
        "KernelPCA_poly": decomposition.KernelPCA(3, kernel="poly"),
        "KernelPCA_cosine": decomposition.KernelPCA(3, kernel="cosine"),
        "FastICA": decomposition.FastICA(3, random_state=0),
        "KMeans": cluster.KMeans(3, n_init=2, random_state=0),
        "MiniBatchKMeans": cluster.MiniBatchKMeans(
            3, n_init=2, random_state=0),
        "GaussianMixture": mixture.GaussianMixture(3, random_state=0),
        "GaussianMixture_diag": mixture.GaussianMixture(
            3, covariance_type="diag", random_state=0),
        "GaussianMixture_tied": mixture.GaussianMixture(
            3, covariance_type="tied", random_state=0),
        "BayesianMixture": mixture.BayesianGaussianMixture(
            n_components=3, random_state=0),
        "IsolationForest": ensemble.IsolationForest(
            n_estimators=10, random_state=0),
        "LocalOutlier": neighbors.LocalOutlierFactor(5, novelty=True),
        "OneClassSVM": svm.OneClassSVM(gamma=0.1),
        "RandomTrees": ensemble.RandomTreesEmbedding(
            n_estimators=5, sparse_output=False, random_state=0),
        "KNNImputer": impute.KNNImputer(n_neighbors=3),
        "SimpleImputer_median": impute.SimpleImputer(strategy="median"),
        "SimpleImputer_ind": impute.SimpleImputer(add_indicator=True),
        "RandomProjection": random_projection.GaussianRandomProjection(
            3, random_state=0),
        "SelectFromModel": feature_selection.SelectFromModel(lr()),
        "RFE": feature_selection.RFE(lr(), n_features_to_select=2),
        "SelectPercentile": feature_selection.SelectPercentile(
            percentile=60),
        "KNNTransformer": neighbors.KNeighborsTransformer(n_neighbors=3),
    }
    return clf, reg, trans


def skl_all():
    """(tag, estimator, kind) of everything skl2onnx names, and our list."""
    from sklearn.utils import all_estimators
    from skl2onnx import supported_converters
    import re
    known = {re.sub("^Sklearn", "", n) for n in supported_converters()}
    clf, reg, trans = skl_special()
    for name, cls in all_estimators():
        if name not in known:
            continue
        try:
            m = cls()
        except TypeError:
            continue
        kind = ("clf" if hasattr(m, "predict") and hasattr(m, "classes_") or
                getattr(m, "_estimator_type", "") == "classifier" else None)
        if kind is None:
            from sklearn.base import is_classifier, is_regressor
            kind = ("clf" if is_classifier(m) else
                    "reg" if is_regressor(m) else "trans")
        yield name + "_plain", m, kind
    for kind, items in (("clf", clf), ("reg", reg), ("trans", trans)):
        for name, m in items.items():
            yield name, m, kind


def skl_fit(model, kind, target, dtype):
    from sklearn.base import clone
    x, _, _ = table()
    if dtype == "int":
        x = x.round().astype(np.int64)
    y = skl_targets()[target]
    m = clone(model)
    m.fit(x.astype(np.float32) if dtype == "float" else x, y)
    return m, x


def skl_make(model, kind, target, dtype, options=None):
    def make():
        m, x = skl_fit(model, kind, target, dtype)
        opts = None
        if options is not None and kind == "clf":
            opts = {id(m): options} if not hasattr(m, "steps") else \
                {id(m.steps[-1][1]): options}
        return skl_convert(m, x, dtype, opts)
    return make


@family("sklearn")
def gen_sklearn():
    for name, model, kind in skl_all():
        for dtype in ("float", "double", "int"):
            if kind == "clf":
                off = {"zipmap": False}
                yield (f"clf_{name}_{dtype}",
                       skl_make(model, kind, "three", dtype, off))
                if dtype != "int":
                    yield (f"clf_{name}_binary_{dtype}",
                           skl_make(model, kind, "binary", dtype, off))
            elif kind == "reg":
                yield (f"reg_{name}_{dtype}",
                       skl_make(model, kind, "positive", dtype))
            else:
                yield (f"trans_{name}_{dtype}",
                       skl_make(model, kind, "three", dtype))
        if kind == "clf":
            yield (f"clf_{name}_zipmap",
                   skl_make(model, kind, "three", "float"))
            yield (f"clf_{name}_text_zipmap",
                   skl_make(model, kind, "text", "float"))
            yield (f"clf_{name}_text_columns",
                   skl_make(model, kind, "text", "float",
                            {"zipmap": "columns"}))
            yield (f"clf_{name}_raw",
                   skl_make(model, kind, "three", "float",
                            {"zipmap": False, "raw_scores": True}))
        if kind == "reg":
            yield (f"reg_{name}_two", skl_make(model, kind, "two_real",
                                               "float"))


WORDS = ("the cat sat on the mat", "A dog; barked LOUDLY at the cat!",
         "the quick brown fox", "jumps over the lazy dog", "cat and dog",
         "on the mat sat a fox", "lazy cats sleep, quick dogs run",
         "numbers 12 and 345 too", "", "the the the cat")


@family("text")
def gen_text():
    from sklearn import (compose, ensemble, feature_extraction, linear_model,
                         pipeline, preprocessing)
    from skl2onnx import to_onnx
    from skl2onnx.common import data_types as dt
    text = feature_extraction.text
    docs = np.array(WORDS * 2, dtype=object)
    y = np.arange(len(docs)) % 3

    def build(model, x=docs.reshape(-1, 1), flat=True, types=None, tail=None):
        def make():
            model.fit(x.ravel() if flat else x, y)
            onx = to_onnx(model, initial_types=types or
                          [("X", dt.StringTensorType([None, x.shape[1]]))],
                          options={id(model): {"zipmap": False}}
                          if tail else None)
            return onx, [x.astype(object)]
        return make

    cv, tv = text.CountVectorizer, text.TfidfVectorizer
    for tag, m in {
            "count": cv(), "count_bi": cv(ngram_range=(1, 2)),
            "count_binary": cv(binary=True), "count_case": cv(lowercase=False),
            "count_stop": cv(stop_words=["the", "on"]),
            "count_char": cv(analyzer="char", ngram_range=(1, 2)),
            "count_char3": cv(analyzer="char", ngram_range=(3, 3)),
            "count_pattern": cv(token_pattern=r"[a-z]+"),
            "count_vocab": cv(max_features=5),
            "tfidf": tv(), "tfidf_l1": tv(norm="l1"),
            "tfidf_bi": tv(ngram_range=(1, 2)),
            "tfidf_sublinear": tv(sublinear_tf=True),
            "tfidf_none": tv(norm=None, use_idf=False),
            "tfidf_char": tv(analyzer="char"),
            "tfidf_trans": pipeline.make_pipeline(cv(),
                                                  text.TfidfTransformer()),
    }.items():
        yield tag, build(m)
    yield "tfidf_lr", build(pipeline.make_pipeline(
        tv(), linear_model.LogisticRegression()), tail=True)
    yield "count_rf", build(pipeline.make_pipeline(
        cv(), ensemble.RandomForestClassifier(5, random_state=0)), tail=True)
    yield "tfidf_sgd", build(pipeline.make_pipeline(
        tv(ngram_range=(1, 3)), linear_model.SGDClassifier(
            loss="log_loss", random_state=0)), tail=True)
    cats = np.array([["a", "x"], ["b", "y"], ["c", "x"], ["a", "z"]] * 5,
                    dtype=object)
    for tag, m in {
            "onehot": preprocessing.OneHotEncoder(
                handle_unknown="ignore", sparse_output=False),
            "onehot_drop": preprocessing.OneHotEncoder(
                drop="if_binary", sparse_output=False),
            "onehot_min": preprocessing.OneHotEncoder(
                min_frequency=6, sparse_output=False,
                handle_unknown="infrequent_if_exist"),
            "ordinal": preprocessing.OrdinalEncoder(),
            "ordinal_unknown": preprocessing.OrdinalEncoder(
                handle_unknown="use_encoded_value", unknown_value=-1),
            "target": preprocessing.TargetEncoder(),
    }.items():
        yield tag, build(m, cats, flat=False)

    def label(cls):
        def make():
            m = cls().fit(cats[:, 0])
            return to_onnx(m, initial_types=[
                ("X", dt.StringTensorType([None]))]), [cats[:, 0]]
        return make
    yield "label_encoder", label(preprocessing.LabelEncoder)
    yield "label_binarizer", label(preprocessing.LabelBinarizer)

    def mixed(final):
        def make():
            import pandas as pd
            x, _, classes = table()
            n = 60
            frame = pd.DataFrame({
                "num": x[:n, 0].astype(np.float32),
                "other": x[:n, 1].astype(np.float32),
                "count": x[:n, 3].astype(np.int64),
                "word": np.resize(cats[:, 0], n),
                "text": np.resize(docs, n)})
            m = pipeline.make_pipeline(compose.ColumnTransformer([
                ("n", pipeline.make_pipeline(
                    __import__("sklearn.impute").impute.SimpleImputer(),
                    preprocessing.StandardScaler()), ["num", "other"]),
                ("i", preprocessing.MinMaxScaler(), ["count"]),
                ("c", preprocessing.OneHotEncoder(handle_unknown="ignore"),
                 ["word"]),
                ("t", cv(), "text")]), final)
            m.fit(frame, classes[:n])
            f, i, s = (dt.FloatTensorType, dt.Int64TensorType,
                       dt.StringTensorType)
            onx = to_onnx(m, initial_types=[
                (c, t([None, 1])) for c, t in
                zip(frame.columns, (f, f, i, s, s))])
            return onx, {c: frame[[c]].to_numpy(
                object if frame[c].dtype.kind not in "fi" else None)
                for c in frame.columns}
        return make
    yield "mixed_lr", mixed(linear_model.LogisticRegression())
    yield "mixed_gb", mixed(ensemble.GradientBoostingClassifier(
        n_estimators=5))


# --- boosting -----------------------------------------------------------------------

@family("boosting")
def gen_boosting():
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType
    x, score, classes = table()
    x32 = x.astype(np.float32)
    holes = x32.copy()
    holes[::7, 1] = np.nan
    types = [("X", FloatTensorType([None, COLUMNS]))]

    def lgbm(cls, y, data=x32, zipmap=False, fit=None, **kw):
        def make():
            import lightgbm
            m = getattr(lightgbm, cls)(n_estimators=8, verbose=-1,
                                       min_child_samples=3, **kw)
            m.fit(data, y, **(fit or {}))
            onx = onnxmltools.convert_lightgbm(m, initial_types=types,
                                               zipmap=zipmap)
            return onx, [data[:40]]
        return make

    def xgb(cls, y, data=x32, **kw):
        def make():
            import xgboost
            m = getattr(xgboost, cls)(n_estimators=8, max_depth=4, **kw)
            m.fit(data, y)
            return onnxmltools.convert_xgboost(m, initial_types=types), \
                [data[:40]]
        return make

    b, t, c, r = (classes > 0).astype(int), classes, "LGBMClassifier", \
        "LGBMRegressor"
    yield "lgbm_binary", lgbm(c, b)
    yield "lgbm_binary_zipmap", lgbm(c, b, zipmap=True)
    yield "lgbm_three", lgbm(c, t)
    yield "lgbm_three_zipmap", lgbm(c, t, zipmap=True)
    yield "lgbm_text", lgbm(c, np.array(["a", "b", "c"])[t], zipmap=True)
    yield "lgbm_nan", lgbm(c, b, holes)
    yield "lgbm_zero_missing", lgbm(c, b, x32, zero_as_missing=True)
    yield "lgbm_cat", lgbm(c, t, fit={"categorical_feature": [3]})
    for boosting in ("gbdt", "dart", "rf"):
        extra = dict(bagging_freq=1, bagging_fraction=0.7) \
            if boosting == "rf" else {}
        yield f"lgbm_clf_{boosting}", lgbm(c, t, boosting_type=boosting,
                                           **extra)
        yield f"lgbm_reg_{boosting}", lgbm(r, score, boosting_type=boosting,
                                           **extra)
    for objective in ("regression_l1", "huber", "poisson", "quantile",
                      "gamma", "tweedie", "mape"):
        yield f"lgbm_reg_{objective}", lgbm(r, np.abs(score) + 0.1,
                                            objective=objective)
    yield "lgbm_reg_nan", lgbm(r, score, holes)
    yield "lgbm_reg_linear", lgbm(r, score, linear_tree=True)
    yield "lgbm_ova", lgbm(c, t, objective="multiclassova")
    yield "lgbm_xentropy", lgbm(r, b.astype(float),
                                objective="cross_entropy")
    yield "lgbm_ranker", lgbm("LGBMRanker", t, fit={"group": [40, 40, 40]})
    c, r = "XGBClassifier", "XGBRegressor"
    yield "xgb_binary", xgb(c, b)
    yield "xgb_three", xgb(c, t)
    yield "xgb_nan", xgb(c, b, holes)
    yield "xgb_three_nan", xgb(c, t, holes)
    yield "xgb_dart", xgb(c, b, booster="dart")
    yield "xgb_logitraw", xgb(c, b, objective="binary:logitraw")
    yield "xgb_hinge", xgb(c, b, objective="binary:hinge")
    yield "xgb_softmax", xgb(c, t, objective="multi:softmax")
    yield "xgb_base", xgb(c, b, base_score=0.3)
    for objective in ("reg:squarederror", "reg:absoluteerror",
                      "reg:pseudohubererror", "count:poisson", "reg:gamma",
                      "reg:tweedie", "reg:squaredlogerror"):
        yield "xgb_" + objective.replace(":", "_"), xgb(
            r, np.abs(score) + 0.1, objective=objective)
    yield "xgb_logistic", xgb(r, b, objective="reg:logistic")
    yield "xgb_reg_nan", xgb(r, score, holes)
    yield "xgb_reg_dart", xgb(r, score, booster="dart")
    yield "xgb_reg_linear", xgb(r, score, booster="gblinear")
    yield "xgb_rf", xgb("XGBRFRegressor", score)
    yield "xgb_rfc", xgb("XGBRFClassifier", t)
    yield "xgb_reg_two", xgb(r, np.stack([score, -score], 1))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tenon")
    parser.add_argument("--only", default="", help="names with this in them")
    parser.add_argument("--family", default="")
    parser.add_argument("--keep", help="folder that keeps what failed")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    try:
        import exporter_matrix_torch
        FAMILIES.update(exporter_matrix_torch.FAMILIES)
    except ImportError as e:
        print(f"torch families left out: {e}")
    wanted = args.family.split(",") if args.family else list(FAMILIES)
    counts = {f: collections.Counter() for f in wanted}
    for fam in wanted:
        try:
            for name, make in FAMILIES[fam]():
                if args.only not in name:
                    continue
                with tempfile.TemporaryDirectory() as tmp:
                    folder = os.path.join(tmp, name)
                    kind, why = one(args.tenon, folder, make)
                    counts[fam][kind] += 1
                    if not kind.startswith("ok"):
                        print(f"{fam} {name}: {kind}: " +
                              " ".join(why.split()), flush=True)
                    if args.keep and kind in ("differs", "refused",
                                              "crashed", "unstable"):
                        shutil.copytree(folder,
                                        os.path.join(args.keep, name),
                                        dirs_exist_ok=True)
        except ImportError as e:
            print(f"{fam} left out: {e}")
    kinds = ("ok", "ok optimised", "differs", "refused", "crashed",
             "unstable", "no reference", "not exported")
    print("\n| family | " + " | ".join(kinds) + " |")
    print("|---" * (len(kinds) + 1) + "|")
    bad = 0
    for fam in wanted:
        print(f"| {fam} | " +
              " | ".join(str(counts[fam][k]) for k in kinds) + " |")
        bad += sum(counts[fam][k] for k in kinds[2:5])
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
