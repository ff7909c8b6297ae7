// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Check;

/// <summary>Collects findings up to a limit, those of damaged data up to one of their own, and counts the rest.</summary>
internal sealed class Findings(int limit, int damageLimit)
{
    private readonly List<string> _messages = [];
    private int _damage;

    public long Count { get; private set; }

    public IReadOnlyList<string> Messages => _messages;

    /// <summary>Formatted only when it is kept: looking a name up costs reads.</summary>
    public void Add(FormattableString message)
    {
        Count++;
        if (_messages.Count - _damage < limit)
        {
            _messages.Add(FormattableString.Invariant(message));
        }
    }

    /// <summary>Of data: whoever has to get files back needs the name of each.</summary>
    public void AddDamage(FormattableString message)
    {
        Count++;
        if (_damage < damageLimit)
        {
            _damage++;
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
