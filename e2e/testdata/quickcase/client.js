// Does with QuickCase's own client what a service does: creates a case, changes it, fetches it, finds it, uploads a
// document of it, and fails.
const assert = require('node:assert/strict');
const {createCase, createDocument, fetchCase, fetchCaseType, fieldExtractor, getDocument, httpClient, isCaseIdentifier,
  newCollection, search, searchDsl: s, updateCase} = require('@quickcase/node-toolkit');

const client = httpClient(`${process.env.CASEHOOK_SERVER}/data-store`)(() => Promise.resolve(process.env.CASEHOOK_TOKEN));

const refused = async (promise, status) => {
  const error = await promise.then(() => assert.fail('it was not refused'), (e) => e);
  assert.equal(error.name, 'AxiosError');
  assert.equal(error.response.status, status);
  return error.response.data;
};

(async () => {
  const made = await createCase(client)('ParkingPermit')('createPermit')({data: {resident: 'Ada'}, summary: 'By post'});
  assert.ok(isCaseIdentifier(made.id), made.id);
  assert.deepEqual(made.data, {resident: 'Ada', reason: 'resident'});

  await updateCase(client)(made.id)('addNote')({data: {notes: newCollection(['Hello'])}});
  const fetched = await fetchCase(client)(made.id)();
  assert.equal(fetched.state, 'Draft');
  const note = fetched.data.notes[0];
  assert.equal(fieldExtractor(fetched)(`notes[id:${note.id}].value`), 'Hello');

  const empty = await createCase(client)('ParkingPermit')('createPermit')();
  assert.deepEqual(empty.data, {reason: 'resident'});

  const find = search(client)('ParkingPermit');
  const byName = s.query(s.equals(s.data('resident'), 'Ada'), s.not(s.hasValue(s.data('vehicle', 'plate'), true)));
  const params = s.searchParams().withLinks().withComputedFields('age').build();
  const found = await find(byName)(s.sort(s.sortDesc('created_on')))(s.page(1, 10), params);
  assert.deepEqual([found.total.count, found.total.pages, found.results.map((c) => c.id)], [1, 1, [made.id]]);
  const withNote = s.query(s.or(s.contains(s.data('notes'), 'Hello'), s.is(s.data('resident'), true)));
  assert.equal((await find(withNote)()()).total.count, 1);
  assert.equal((await find(s.query())(s.sort(s.sortAsc(s.data('resident'))))(s.page(2, 1))).results.length, 1);
  const wrongQuery = await refused(find(s.query(s.equals(s.computedField('age'), 7)))()(), 422);
  assert.equal(wrongQuery.details.field_errors[0].id, 'query.equals.field');

  const type = await fetchCaseType(client)('ParkingPermit')();
  assert.deepEqual(type.events.map((e) => [e.id, e.pre_states]),
    [['createPermit', []], ['addNote', ['Draft']], ['decide', ['Draft']]]);
  const notes = type.case_fields.find((f) => f.id === 'notes').field_type;
  assert.deepEqual([notes.type, notes.collection_field_type.type], ['Collection', 'Text']);

  const upload = await createDocument(client)({filename: 'passport.pdf', organisation: 'Org', caseType: 'ParkingPermit',
    case: made.id, field: 'proof'});
  const put = () => fetch(upload.upload_url,
    {method: 'PUT', headers: {'Content-Type': 'application/pdf'}, body: '%PDF-1.7 passport'});
  await refused(getDocument(client)(upload.id), 404); // it is not there yet
  assert.deepEqual([(await put()).status, (await put()).status], [200, 409]);
  const withProof = await updateCase(client)(made.id)('decide')({data: {proof: {document_url: upload.document_url}}});
  assert.deepEqual(withProof.data.proof, {document_url: upload.document_url,
    document_binary_url: `${upload.document_url}/binary`, document_filename: 'passport.pdf'});
  const {id, download_url: url} = await getDocument(client)(upload.id);
  const download = await fetch(url);
  assert.deepEqual([id, download.status, await download.text()], [upload.id, 200, '%PDF-1.7 passport']);
  assert.equal(download.headers.get('content-disposition'), 'attachment; filename=passport.pdf');
  const elsewhere = await refused(createCase(client)('ParkingPermit')('createPermit')(
    {data: {proof: {document_url: 'https://documents.example/1'}}}), 422);
  assert.equal(elsewhere.details.field_errors[0].id, 'proof.document_url');

  const unknown = await refused(createCase(client)('ParkingPermit')('nothing')({}), 404);
  assert.equal(unknown.status, 404);
  const wrong = await refused(updateCase(client)(empty.id)('decide')({data: {vehicle: {plate: 7}}}), 422);
  assert.equal(wrong.details.field_errors[0].id, 'vehicle.plate');
  console.log('done');
})().catch((e) => { console.error(e); process.exit(1); });
