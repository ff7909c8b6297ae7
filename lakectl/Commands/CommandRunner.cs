// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using DeepLake.Control;
using DeepLake.Lakectl.Client;
using DeepLake.Lakectl.Output;

namespace DeepLake.Lakectl.Commands;

/// <summary>What all commands share: asking, showing progress and errors, exit statuses.</summary>
internal static class CommandRunner
{
    internal static Option<bool> JsonOption() => new("--json") { Description = "Machine-readable output: one JSON object per line" };

    internal static Request NewRequest() => new() { Version = ControlProtocol.Version };

    /// <summary>Done by a laked of its own.</summary>
    internal static int OneShot(Request request, bool json, Func<Result, int> show, Stream? data = null)
    {
        var reporter = new ProgressReporter(json);
        return Finish(OneShotClient.Run(request, data, reporter.Show), reporter, json, show);
    }

    /// <summary>The same; what a repair is going to do is shown when it is told, between two lines of progress.</summary>
    internal static int OneShot(Request request, bool json, Action<RepairPlan> showPlan, Func<Result, int> show)
    {
        var reporter = new ProgressReporter(json);
        return Finish(OneShotClient.Run(request, null, Tell), reporter, json, show);

        void Tell(Progress progress)
        {
            if (progress.RepairPlan is null)
            {
                reporter.Show(progress);
                return;
            }
            reporter.Finish();
            showPlan(progress.RepairPlan);
        }
    }

    /// <summary>Asked of the running daemon.</summary>
    internal static int Daemon(Request request, bool json, Func<Result, int> show)
    {
        var reporter = new ProgressReporter(json);
        return Finish(DaemonClient.Run(request, reporter.Show), reporter, json, show);
    }

    /// <summary>For what needs a lake that is not mounted: a status when it is, or when a directory of one was named.</summary>
    internal static int? RefuseMounted(string name, bool json)
    {
        if (LakeTarget.Find(name, out _) is not { IsMounted: true })
        {
            return null;
        }
        string what = Directory.Exists(name) ? "is a directory of a mounted lake" : "is a mounted lake";
        return Fail(ErrorCode.ErrorBusy, $"{name} {what}", "unmount it first (findmnt -t lakefs), then name its device", json);
    }

    internal static int Fail(ErrorCode code, string message, string nextStep, bool json)
    {
        if (json)
        {
            JsonLine.Write("error", w =>
            {
                w.WriteNumber("code", (int)code);
                w.WriteString("message", message);
                w.WriteString("next_step", nextStep);
            });
        }
        Messages.Error(message, nextStep);
        return (int)code;
    }

    /// <summary>What an answer comes to.</summary>
    internal static int Finish(Response response, ProgressReporter reporter, bool json, Func<Result, int> show)
    {
        reporter.Finish();
        if (response.KindCase == Response.KindOneofCase.Result)
        {
            return show(response.Result);
        }
        Error error = response.Error ?? new Error { Code = ErrorCode.ErrorGeneral, Message = "laked gave no answer" };
        ErrorCode code = error.Code == ErrorCode.ErrorUnspecified ? ErrorCode.ErrorGeneral : error.Code;
        return Fail(code, error.Message, error.NextStep, json);
    }
}
