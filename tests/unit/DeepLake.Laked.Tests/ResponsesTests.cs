// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Laked.Control;
using NUnit.Framework;

namespace DeepLake.Laked.Tests;

[TestFixture]
public sealed class ResponsesTests
{
    /// <summary>Regression: a source that may not be read was told as a defect of DeepLake.</summary>
    [Test]
    public void WhatIsNotAllowed_IsNoDefect()
    {
        Error error = Responses.FromException(new UnauthorizedAccessException("Access to the path '/x' is denied.")).Error;
        Assert.That(error.Message, Is.EqualTo("Access to the path '/x' is denied."));
        Assert.That(error.NextStep, Does.Contain("root").And.Not.Contain("defect"));
    }
}
