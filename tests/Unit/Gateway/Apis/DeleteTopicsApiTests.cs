using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Apis;

namespace Granary.Unit.Gateway.Apis;

public sealed class DeleteTopicsApiTests
{
    private static readonly Guid s_id = Guid.Parse("7d5f1c1e-0000-4000-8000-000000000001");

    [Fact]
    public void Check_ByNameAndById_AcceptsBoth() =>
        Assert.Equal(
            [(new TopicName("a"), null), (new TopicName(null, s_id), null)],
            DeleteTopicsApi.Check([new TopicName("a"), new TopicName(null, s_id)], _ => "b"));

    [Fact]
    public void Check_WithANameTwice_RefusesItOnce()
    {
        var answer = Assert.Single(DeleteTopicsApi.Check([new TopicName("a"), new TopicName("a")], _ => null));

        Assert.NotNull(answer.Refusal);
    }

    [Fact]
    public void Check_WithAnIdTwice_RefusesItOnce()
    {
        var answer = Assert.Single(DeleteTopicsApi.Check([new TopicName(null, s_id), new TopicName(null, s_id)], _ => null));

        Assert.NotNull(answer.Refusal);
    }

    [Fact]
    public void Check_WithATopicByIdAndByName_DeletesItByNameAndRefusesTheId()
    {
        var answers = DeleteTopicsApi.Check([new TopicName(null, s_id), new TopicName("a")], _ => "a").ToList();

        Assert.NotNull(answers[0].Refusal);
        Assert.Null(answers[1].Refusal);
    }

    [Fact]
    public void Check_WithNeitherNameNorId_Refuses() =>
        Assert.NotNull(Assert.Single(DeleteTopicsApi.Check([new TopicName(null)], _ => null)).Refusal);

    [Fact]
    public void Check_WithNameAndIdInOneEntry_Refuses() =>
        Assert.NotNull(Assert.Single(DeleteTopicsApi.Check([new TopicName("a", s_id)], _ => "a")).Refusal);
}
