// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Check;

/// <summary>Collects findings up to a limit and counts the rest.</summary>
internal sealed class Findings(int limit)
{
    private readonly List<string> _messages = [];

    public long Count { get; private set; }

    public IReadOnlyList<string> Messages => _messages;

    /// <summary>Formatted only when it is kept: looking a name up costs reads.</summary>
    public void Add(FormattableString message)
    {
        Count++;
        if (_messages.Count < limit)
        {
            _messages.Add(FormattableString.Invariant(message));
        }
    }

    public void Require(bool condition, FormattableString message)
    {
        if (!condition)
        {
            Add(message);
        }
    }
}
