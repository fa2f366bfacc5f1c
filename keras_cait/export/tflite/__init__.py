"""TFLite files: conversion, quantization, metadata and checks."""
