using System.Collections.Immutable;
using System.Text.Json;
using Granary.Abstractions.Groups;

namespace Granary.Gateway.Http;

/// <summary>What a request to plan a reset asks for, as rules of <see cref="IGroupResetGrain"/>, which bounds them and knows which topics there are.</summary>
internal static class ResetRules
{
    public static ImmutableArray<ResetRule> Of(ResetTo? to, IReadOnlyList<string?>? topics, IReadOnlyList<ResetPlace?>? partitions)
    {
        var general = to is null ? null : SpecOf(to, "to");
        if (topics is null && partitions is null)
            return [new ResetRule(null, null, general ?? throw Missing("to"))];
        var rules = ImmutableArray.CreateBuilder<ResetRule>();
        foreach (var topic in topics ?? [])
            rules.Add(new ResetRule(topic ?? throw Problem.BadRequest("topics", "'topics' holds null: names of topics are wanted."), null, general ?? throw Missing("to")));
        for (var index = 0; index < (partitions?.Count ?? 0); index++)
        {
            var field = $"partitions[{index}]";
            if (partitions![index] is not { Topic: { } topic, Partition: { } partition } place)
                throw Problem.BadRequest(field, $"'{field}' lacks its topic or its partition.");
            rules.Add(new ResetRule(topic, partition, place.To is { } own ? SpecOf(own, $"{field}.to") : general ?? throw Missing($"{field}.to")));
        }

        return rules.Count > 0 ? rules.ToImmutable() : throw Problem.BadRequest("topics", "'topics' and 'partitions' name nothing; without both it is wherever the group has positions.");
    }

    private static ResetSpec SpecOf(ResetTo to, string field)
    {
        ResetSpec?[] given =
        [
            Flag(to.Earliest, $"{field}.earliest", ResetSpec.Earliest),
            Flag(to.Latest, $"{field}.latest", ResetSpec.Latest),
            to.Offset is { } offset ? ResetSpec.ToOffset(NotNegative(offset, $"{field}.offset")) : null,
            to.Timestamp is { } time ? new ResetSpec(ResetTarget.Timestamp, TimeOf(time, $"{field}.timestamp")) : null,
            to.By is { } by ? ResetSpec.ShiftBy(by) : null,
            to.DurationMs is { } duration ? new ResetSpec(ResetTarget.Duration, NotNegative(duration, $"{field}.durationMs")) : null,
            to.BeforeReset is { } reset ? ResetSpec.Before(reset) : null,
        ];
        return given.Count(spec => spec is not null) == 1 ? given.First(spec => spec is not null)! : throw Missing(field);
    }

    private static ResetSpec? Flag(bool? given, string field, ResetSpec spec) => given switch
    {
        null => null,
        true => spec,
        false => throw Problem.BadRequest(field, $"'{field}' is false: true is wanted, or nothing."),
    };

    private static long NotNegative(long value, string field) => value >= 0 ? value : throw Problem.BadRequest(field, $"'{field}' is {value}: 0 or more is wanted.", 0);

    private static long TimeOf(JsonElement time, string field) => time.ValueKind switch
    {
        JsonValueKind.String => Times.Parse(JsonTexts.TextOf(time, field), field),
        JsonValueKind.Number => Times.Parse(time.GetRawText(), field),
        _ => throw Problem.BadRequest(field, $"'{field}' is neither text nor a number: a time such as 2026-01-31T12:00:00Z or milliseconds since 1970 is wanted."),
    };

    private static Problem Missing(string field) => Problem.BadRequest(
        field, $"'{field}' holds exactly one of earliest: true, latest: true, offset, timestamp, by, durationMs and beforeReset.");
}
