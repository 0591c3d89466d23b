#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_deploy.py - deploy/*.yaml against the types of KServe's and Kubernetes' clients

    check_deploy.py DEPLOY_FOLDER      (in an environment with kserve and PyYAML)

Every field must exist under that name and hold a value of its type, all the way
down. Ends with "N passed, N failed".
"""
import glob
import os
import re
import sys

import kubernetes.client.models
import yaml
import kserve.models

SCALARS = {"str": str, "int": int, "bool": bool, "float": (int, float)}


def model(name):
    return getattr(kserve.models, name, None) or getattr(kubernetes.client.models, name, None)


def check(value, kind, place, wrong):
    """Appends to wrong what in value is not a `kind`, as the clients spell types."""
    if kind in SCALARS:
        if not isinstance(value, SCALARS[kind]) or (kind == "int" and isinstance(value, bool)):
            wrong.append("%s: %r is no %s" % (place, value, kind))
        return
    listed = re.fullmatch(r"[lL]ist\[(.*)\]", kind)
    mapped = re.fullmatch(r"dict\(str, (.*)\)|Dict\[str, (.*)\]", kind)
    if listed:
        if not isinstance(value, list):
            wrong.append("%s: not a list" % place)
            return
        for i, v in enumerate(value):
            check(v, listed.group(1), "%s[%d]" % (place, i), wrong)
    elif mapped:
        for k, v in value.items():
            check(v, mapped.group(1) or mapped.group(2), "%s.%s" % (place, k), wrong)
    elif kind == "object":
        return
    elif model(kind) is None:
        if not isinstance(value, (str, int)):  # IntOrString, quantities, times
            wrong.append("%s: %r is no %s" % (place, value, kind))
    else:
        types, names = model(kind).openapi_types, model(kind).attribute_map
        fields = {names[a]: types[a] for a in types}
        if not isinstance(value, dict):
            wrong.append("%s: not a mapping" % place)
            return
        for k, v in value.items():
            if k not in fields:
                wrong.append("%s.%s: no such field of %s" % (place, k, kind))
            else:
                check(v, fields[k], "%s.%s" % (place, k), wrong)


KINDS = {("serving.kserve.io/v1alpha1", "ClusterServingRuntime"): "V1alpha1ClusterServingRuntime",
         ("serving.kserve.io/v1beta1", "InferenceService"): "V1beta1InferenceService"}


def main():
    passed = failed = 0
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.yaml"))):
        wrong = []
        with open(path, encoding="utf-8") as f:
            document = yaml.safe_load(f)
        kind = KINDS.get((document.get("apiVersion"), document.get("kind")))
        if kind is None:
            wrong.append("an apiVersion and kind that are not known here")
        else:
            check(document, kind, document["kind"], wrong)
        containers = document.get("spec", {}).get("containers", [])
        if document.get("kind") == "ClusterServingRuntime" and [
                c.get("name") for c in containers] != ["kserve-container"]:
            wrong.append("KServe wants one container, called kserve-container")
        print("%s %s" % ("FAIL" if wrong else "ok  ", os.path.basename(path)))
        for w in wrong:
            print("     " + w)
        passed, failed = passed + (not wrong), failed + bool(wrong)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
