using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Granary.Grains.Groups;

/// <summary>
/// A subscription's regular expression, which must match a topic's whole name. Kafka takes RE2's syntax; this is .NET's without backtracking,
/// which like RE2 has neither look-around nor back references and takes time in proportion to the name. What RE2 alone knows (`\C`, `\Q..\E`)
/// is refused, or in rare cases means what it means to .NET; `(?P&lt;name&gt;` is understood.
/// </summary>
internal sealed partial class ConsumerGroupTopicPattern
{
    private readonly Regex _regex;

    private ConsumerGroupTopicPattern(Regex regex) => _regex = regex;

    /// <param name="wrong">What is wrong with it; null where nothing is.</param>
    public static bool TryParse(string text, ConsumerGroupOptions options, [NotNullWhen(true)] out ConsumerGroupTopicPattern? pattern, out string? wrong)
    {
        (pattern, wrong) = (null, null);
        if (text.Length > options.MaxRegexLength)
        {
            wrong = $"The regular expression has {text.Length} characters, {options.MaxRegexLength} is the most (MaxRegexLength).";
            return false;
        }

        // A counted repeat is written out by the engine: nested ones multiply, and a short text would make a very large automaton.
        if (RepeatsOf(text) > options.MaxRegexRepeats)
        {
            wrong = $"The counted repeats of the regular expression multiply to more than {options.MaxRegexRepeats} (MaxRegexRepeats).";
            return false;
        }

        try
        {
            const RegexOptions How = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;
            var plain = text.Replace("(?P<", "(?<", StringComparison.Ordinal);

            // By itself first: `a)(b` is right only once it is put between parentheses.
            _ = new Regex(plain, How);
            pattern = new ConsumerGroupTopicPattern(new Regex($@"\A(?:{plain})\z", How));
            return true;
        }
        catch (Exception refused) when (refused is ArgumentException or NotSupportedException)
        {
            wrong = $"The regular expression '{text}' is not valid: {refused.Message}";
            return false;
        }
    }

    public bool Matches(string topic) => _regex.IsMatch(topic);

    private static long RepeatsOf(string text)
    {
        var product = 1L;
        foreach (Match repeat in CountedRepeat().Matches(text))
        {
            // More digits than that are too many whatever they are.
            var count = repeat.Groups[1].ValueSpan is { Length: <= 6 } from ? long.Parse(from) : int.MaxValue;
            if (repeat.Groups[2].ValueSpan is { Length: > 0 } to)
                count = Math.Max(count, to.Length <= 6 ? long.Parse(to) : int.MaxValue);
            product = Math.Min(product * Math.Max(count, 1), int.MaxValue);
        }

        return product;
    }

    [GeneratedRegex(@"\{([0-9]+)(?:,([0-9]*))?\}")]
    private static partial Regex CountedRepeat();
}
