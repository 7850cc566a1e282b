using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Replay;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Replay;

public sealed class ResetScopeTests
{
    private static readonly ResetTopic s_a = new("a", Guid.NewGuid(), 3);
    private static readonly ResetTopic s_b = new("b", Guid.NewGuid(), 2);
    private readonly ReplayOptions _options = new() { MaxPartitions = 5, MaxRules = 3 };

    [Fact]
    public void NarrowestRule_Counts_WhateverTheOrder()
    {
        ResetRule[] rules = [new("a", 1, ResetSpec.ToOffset(7)), new(null, null, ResetSpec.Earliest), new("a", null, ResetSpec.Latest)];
        foreach (var order in new[] { rules, rules.Reverse().ToArray() })
        {
            var scope = ResetScope.Of(order, [s_b, s_a], [new(s_b.Id, 1), new(s_a.Id, 0), new(Guid.NewGuid(), 0)], _options);

            Assert.Equal(
                [("a", 0, ResetSpec.Latest), ("a", 1, ResetSpec.ToOffset(7)), ("a", 2, ResetSpec.Latest), ("b", 1, ResetSpec.Earliest)],
                scope.Parts.Select(part => (part.Topic, part.Partition.Index, part.Spec)));
        }
    }

    [Fact]
    public void WrongRules_AreRefused_AndNamed()
    {
        Refused(ErrorCode.InvalidRequest, "rules: 0");
        Refused(ErrorCode.InvalidRequest, "rules: 4", [.. Enumerable.Range(0, 4).Select(_ => new ResetRule("a", null, ResetSpec.Latest))]);
        Refused(ErrorCode.UnknownTopicOrPartition, "rules[0]: topic c", new ResetRule("c", null, ResetSpec.Latest));
        Refused(ErrorCode.UnknownTopicOrPartition, "partition is 3", new ResetRule("a", 3, ResetSpec.Latest));
        Refused(ErrorCode.UnknownTopicOrPartition, "partition is -1", new ResetRule("a", -1, ResetSpec.Latest));
        Refused(ErrorCode.InvalidRequest, "without a topic", new ResetRule(null, 1, ResetSpec.Latest));
        Refused(ErrorCode.InvalidRequest, "rules[1]: there is another for a-1", new ResetRule("a", 1, ResetSpec.Latest), new ResetRule("a", 1, ResetSpec.Earliest));
        Refused(ErrorCode.InvalidRequest, "Offset is -1", new ResetRule("a", 1, ResetSpec.ToOffset(-1)));
        Refused(ErrorCode.InvalidRequest, "Duration is -5", new ResetRule("a", 1, ResetSpec.Back(TimeSpan.FromMilliseconds(-5))));
        Refused(ErrorCode.InvalidRequest, "reset id", new ResetRule("a", 1, ResetSpec.Before(Guid.Empty)));
        Refused(ErrorCode.InvalidRequest, "target is 99", new ResetRule("a", 1, new ResetSpec((ResetTarget)99)));
    }

    [Fact]
    public void MorePartitionsThanTheMaximum_AreRefused()
    {
        ResetRule[] both = [new("a", null, ResetSpec.Latest), new("b", null, ResetSpec.Latest)];

        Assert.Equal(5, ResetScope.Of(both, [s_a, s_b], [], _options).Parts.Count);
        _options.MaxPartitions = 4;
        Refused(ErrorCode.InvalidRequest, "more than 4", both);
    }

    private void Refused(ErrorCode error, string message, params ResetRule[] rules)
    {
        var scope = ResetScope.Of(rules, [s_a, s_b], [], _options);
        Assert.Equal(error, scope.Error);
        Assert.Contains(message, scope.Message, StringComparison.Ordinal);
        Assert.Empty(scope.Parts);
    }
}
