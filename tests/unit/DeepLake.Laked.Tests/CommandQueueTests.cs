// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine;
using DeepLake.Laked.Serve;
using DeepLake.Metadata;
using DeepLake.Platform;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Laked.Tests;

/// <summary>What a command of another thread does to the lake when it fails.</summary>
[TestFixture]
public sealed class CommandQueueTests
{
    private static readonly Exception[] Ending =
    [
        new StorageException(Errno.EIO, "the device failed"),
        new MetadataCorruptException("a page is damaged"),
        new IntentFaultException("a change cannot be"),
    ];

    [TestCaseSource(nameof(Ending))]
    public void DamageThatACommandMeets_EndsTheLake_AndIsToldToWhoAsked(Exception damage)
    {
        var queue = new CommandQueue();
        Task<bool> asked = Ask(queue, () => throw damage);
        Assert.That(() => queue.RunAll(null!, null!), Throws.Exception.SameAs(damage), "the engine's loop ends with it");
        queue.Close();
        var told = Assert.ThrowsAsync<InvalidOperationException>(() => asked);
        Assert.That(told!.InnerException, Is.SameAs(damage));
    }

    [Test]
    public void ACommandThatFailsOtherwise_LeavesTheLakeToTheNext()
    {
        var queue = new CommandQueue();
        Task<bool> failing = Ask(queue, () => throw new ArgumentException("bad input"));
        queue.RunAll(null!, null!);
        Assert.ThrowsAsync<InvalidOperationException>(() => failing);
        Task<bool> next = Ask(queue, () => { });
        queue.RunAll(null!, null!);
        Assert.That(next.Result, Is.True);
        queue.Close();
    }

    [Test]
    public void WhatWaits_WhenTheLakeEnds_IsNotDone_AndIsToldSo()
    {
        var queue = new CommandQueue();
        bool isDone = false;
        Task<bool> first = Ask(queue, () => throw new MetadataCorruptException("a page is damaged"));
        Task<bool> second = Ask(queue, () => isDone = true);
        Assert.That(() => queue.RunAll(null!, null!), Throws.TypeOf<MetadataCorruptException>());
        queue.Close();
        Assert.ThrowsAsync<InvalidOperationException>(() => first);
        Assert.That(second.Result, Is.False);
        Assert.That(isDone, Is.False);
        Assert.That(queue.TryRun((_, _) => { }, TimeSpan.FromSeconds(1)), Is.False, "nobody serves it any more");
    }

    // Returns when the command waits in the queue.
    private static Task<bool> Ask(CommandQueue queue, Action work)
    {
        int waiting = queue.Waiting;
        Task<bool> asked = Task.Run(() => queue.TryRun((_, _) => work(), TimeSpan.FromMinutes(1)));
        SpinWait.SpinUntil(() => queue.Waiting > waiting);
        return asked;
    }
}
